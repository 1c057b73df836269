/** Every message with every field at its extremes. */
import * as fc from "fast-check"
import type * as M from "../src/messages.ts"

const canonical = (value: bigint): M.U64 =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

const most64 = 2n ** 64n - 1n
const mostSigned = 2n ** 63n - 1n

const u64 = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, mostSigned, mostSigned + 1n, most64),
  fc.bigInt(0n, most64)
).map(canonical)
const s64 = fc.oneof(
  fc.constantFrom(0n, -1n, -(2n ** 31n), -(2n ** 32n), -(2n ** 53n) + 1n, -(2n ** 53n), -(2n ** 63n), mostSigned),
  fc.bigInt(-(2n ** 63n), mostSigned)
).map(canonical)
/** 0 to 2^63-1: sizes and offsets. */
const offset = fc.oneof(fc.constantFrom(0n, 2n ** 32n, 2n ** 53n, mostSigned), fc.bigInt(0n, mostSigned)).map(canonical)
const u32 = fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff), fc.integer({ min: 0, max: 0xffffffff }))
const u16 = fc.integer({ min: 0, max: 0xffff })
const bytes = (maxLength: number) => fc.uint8Array({ minLength: 0, maxLength })

const asName = (raw: Uint8Array): M.Name => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw)
  return Buffer.from(text, "utf8").equals(raw) ? text : raw
}
const goodByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f)
const named = fc.string({ unit: "binary", minLength: 1, maxLength: 80 })
/** Strings with a byte order mark, astral letters and control characters; bytes that are not UTF-8; every length. */
const name: fc.Arbitrary<M.Name> = fc.oneof(
  fc.constantFrom("a", ".", "..", "\ufeffx", "x".repeat(255), "\u{1f40e}".repeat(63), "\x01\x7f"),
  named.filter((text) => text.isWellFormed() && !text.includes("/") && !text.includes("\0")),
  fc.array(goodByte, { minLength: 1, maxLength: 255 }).map((array) => asName(new Uint8Array(array)))
)
/** A path may hold `/`. */
const path: fc.Arbitrary<M.Name> = fc.oneof(
  fc.constantFrom("/", "../a/b", "/".repeat(4095)),
  fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 300 }).map((array) => asName(new Uint8Array(array)))
)

const nsec = fc.oneof(fc.constantFrom(0, 999_999_999), fc.integer({ min: 0, max: 999_999_999 }))
const time = fc.record({ sec: s64, nsec })
const duration = fc.record({ sec: u64, nsec })
const mode = fc.tuple(fc.constantFrom(1, 2, 4, 6, 8, 10, 12), fc.integer({ min: 0, max: 0o7777 })).map(([type, bits]) => (type << 12) | bits)

const extensions: fc.Arbitrary<M.Extensions> = fc.record(
  {
    securityContexts: fc.array(fc.record({ name, value: bytes(100) }), { maxLength: 31 }),
    supplementaryGroups: fc.array(u32, { maxLength: 40 })
  },
  { requiredKeys: [] }
).filter((value) => value.securityContexts !== undefined || value.supplementaryGroups !== undefined)

type Model = { readonly [key: string]: fc.Arbitrary<unknown> }

const of = <const Op extends M.Request["op"]>(op: Op, model: Model, optional: Model = {}) => {
  const all = { op: fc.constant(op), unique: u64, nodeid: u64, uid: u32, gid: u32, pid: u32, ...model }
  return fc.tuple(fc.record(all), fc.record(optional, { requiredKeys: [] })).map(([base, more]): M.Request => {
    // The model of each operation below lists exactly its fields; the round trip would fail otherwise.
    return { ...base, ...more } as unknown as M.Request
  })
}

const extra = { extensions }
const lock = { fh: u64, owner: u64, lk: fc.record({ start: u64, end: u64, type: u32, pid: u32 }), lkFlags: u32 }
const reading = { fh: u64, offset: u64, size: u32, readFlags: u32, lockOwner: u64, flags: u32 }
const releasing = { fh: u64, flags: u32, releaseFlags: u32, lockOwner: u64 }
const withSize = <R extends M.Request>(arbitrary: fc.Arbitrary<M.Request>, fix: (request: M.Request) => R) => arbitrary.map(fix)

export const requests: { readonly [Op in M.Request["op"]]: fc.Arbitrary<M.Request> } = {
  lookup: of("lookup", { name }),
  forget: of("forget", { nlookup: u64 }),
  getattr: of("getattr", { fh: u64, getattrFlags: u32 }),
  setattr: of("setattr", {
    fh: u64, valid: u32, size: u64, lockOwner: u64, atime: fc.record({ sec: s64, nsec: u32 }), mtime: fc.record({ sec: s64, nsec: u32 }),
    ctime: fc.record({ sec: s64, nsec: u32 }), mode: u32, newUid: u32, newGid: u32
  }),
  readlink: of("readlink", {}),
  symlink: of("symlink", { name, target: path }, extra),
  mknod: of("mknod", { name, mode: u32, rdev: u32, umask: u32 }, extra),
  mkdir: of("mkdir", { name, mode: u32, umask: u32 }, extra),
  unlink: of("unlink", { name }),
  rmdir: of("rmdir", { name }),
  rename: of("rename", { name, newdir: u64, newname: name, flags: u32 }),
  link: of("link", { oldnodeid: u64, newname: name }),
  open: of("open", { flags: u32, openFlags: u32 }),
  read: of("read", reading),
  write: withSize(
    of("write", { fh: u64, offset: u64, size: fc.constant(0), writeFlags: u32, lockOwner: u64, flags: u32, data: bytes(300) }),
    (request) => request.op === "write" ? { ...request, size: request.data.length } : request
  ),
  statfs: of("statfs", {}),
  release: of("release", releasing),
  fsync: of("fsync", { fh: u64, fsyncFlags: u32 }),
  setxattr: of("setxattr", { name: path, flags: u32, setxattrFlags: u32, value: bytes(300) }),
  getxattr: of("getxattr", { name: path, size: u32 }),
  listxattr: of("listxattr", { size: u32 }),
  removexattr: of("removexattr", { name: path }),
  flush: of("flush", { fh: u64, lockOwner: u64 }),
  init: withSize(
    of("init", { major: u32, minor: u32, maxReadahead: u32, flags: u32, flags2: u32 }),
    (request) => request.op === "init" && request.minor < 36 ? { ...request, flags2: 0 } : request
  ),
  opendir: of("opendir", { flags: u32, openFlags: u32 }),
  readdir: of("readdir", reading),
  readdirplus: of("readdirplus", reading),
  releasedir: of("releasedir", releasing),
  fsyncdir: of("fsyncdir", { fh: u64, fsyncFlags: u32 }),
  getlk: of("getlk", lock),
  setlk: of("setlk", lock),
  setlkw: of("setlkw", lock),
  access: of("access", { mask: u32 }),
  create: of("create", { name, flags: u32, mode: u32, umask: u32, openFlags: u32 }, extra),
  interrupt: of("interrupt", { target: u64 }),
  bmap: of("bmap", { block: u64, blocksize: u32 }),
  destroy: of("destroy", {}),
  ioctl: withSize(
    of("ioctl", { fh: u64, flags: u32, cmd: u32, arg: u64, inSize: fc.constant(0), outSize: u32, data: bytes(300) }),
    (request) => request.op === "ioctl" ? { ...request, inSize: request.data.length } : request
  ),
  poll: of("poll", { fh: u64, kh: u64, flags: u32, events: u32 }),
  notifyReply: withSize(
    of("notifyReply", { offset: u64, size: fc.constant(0), data: bytes(300) }),
    (request) => request.op === "notifyReply" ? { ...request, size: request.data.length } : request
  ),
  batchForget: of("batchForget", { forgets: fc.array(fc.record({ nodeid: u64, nlookup: u64 }), { maxLength: 50 }) }),
  fallocate: of("fallocate", { fh: u64, offset: u64, length: u64, mode: u32 }),
  lseek: of("lseek", { fh: u64, offset: u64, whence: u32 }),
  copyFileRange: of("copyFileRange", {
    wide: fc.boolean(), fhIn: u64, offIn: u64, nodeidOut: u64, fhOut: u64, offOut: u64, len: u64, flags: u64
  }),
  setupmapping: of("setupmapping", { fh: u64, foffset: u64, len: u64, flags: u64, moffset: u64 }),
  removemapping: of("removemapping", { mappings: fc.array(fc.record({ moffset: u64, len: u64 }), { maxLength: 50 }) }),
  syncfs: of("syncfs", {}),
  tmpfile: of("tmpfile", { name: path, flags: u32, mode: u32, umask: u32, openFlags: u32 }, extra),
  statx: of("statx", { fh: u64, getattrFlags: u32, sxFlags: u32, sxMask: u32 })
}

const attr: fc.Arbitrary<M.Attr> = fc.record({
  ino: u64, size: offset, blocks: u64, atime: time, mtime: time, ctime: time, mode, nlink: u32, uid: u32, gid: u32, rdev: u32, blksize: u32, flags: u32
})
const childId = u64.filter((nodeid) => nodeid !== 0 && nodeid !== 1)
const entry: fc.Arbitrary<M.Entry> = fc.record({ nodeid: childId, generation: u64, entryValid: duration, attrValid: duration, attr })
const attrReply = fc.record({ attrValid: duration, attr })
const open: fc.Arbitrary<M.Open> = fc.oneof(
  fc.record({ fh: u64, openFlags: u32.map((flags) => (flags & ~128) >>> 0) }),
  fc.record({ fh: u64, openFlags: u32, backingId: fc.integer({ min: 1, max: 0x7fffffff }) })
)
const created = fc.record({ entry, open })
const dirent = { ino: u64, off: u64, type: fc.integer({ min: 0, max: 15 }), name }
const range = fc.tuple(offset, offset).map(([a, b]) => (a <= b ? { start: a, end: b } : { start: b, end: a }))
const held: fc.Arbitrary<M.FileLock> = fc.tuple(range, fc.constantFrom(0, 1, 2), u32).map(([ends, type, pid]) => ({ ...ends, type, pid }))
const statx = fc.record({
  mask: u32, blksize: u32, attributes: u64, nlink: u32, uid: u32, gid: u32, mode, ino: u64, size: offset, blocks: u64, attributesMask: u64,
  atime: time, btime: time, ctime: time, mtime: time, rdevMajor: u32, rdevMinor: u32, devMajor: u32, devMinor: u32
})
const iovecs = fc.array(fc.record({ base: u64, len: u64 }), { maxLength: 128 })

/** A reply that the backend may give to `request`. */
export const replyTo = (request: M.Request): fc.Arbitrary<unknown> => {
  switch (request.op) {
    case "lookup":
      return fc.oneof(entry, entry.map((found) => ({ ...found, nodeid: 0 })))
    case "getattr":
    case "setattr":
      return attrReply
    case "readlink":
      return path
    case "symlink":
    case "mknod":
    case "mkdir":
    case "link":
      return entry
    case "open":
    case "opendir":
      return open
    case "create":
    case "tmpfile":
      return created
    case "read":
      return bytes(Math.min(300, request.size))
    case "write":
      return fc.integer({ min: 0, max: request.size })
    case "statfs":
      return fc.record({ blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64, bsize: u32, namelen: u32, frsize: u32 })
    case "getxattr":
    case "listxattr":
      return request.size === 0 ? fc.record({ size: u32 }) : bytes(Math.min(300, request.size))
    case "init":
      return fc.record({
        major: u32, minor: fc.integer({ min: 23, max: 45 }), maxReadahead: u32, flags: u32, maxBackground: u16, congestionThreshold: u16,
        maxWrite: u32, timeGran: u32, maxPages: u16, mapAlignment: u16, flags2: u32, maxStackDepth: u32, requestTimeout: u16
      })
    case "readdir":
      return request.size < 1024 * 32 ? fc.constant([]) : fc.array(fc.record(dirent), { maxLength: 20 })
    case "readdirplus":
      return request.size < 1024 * 32
        ? fc.constant([])
        : fc.array(fc.record({ ...dirent, entry: fc.option(entry, { nil: undefined }) }), { maxLength: 20 })
    case "getlk":
      return held
    case "bmap":
      return u64
    case "ioctl":
      return (request.flags & 2) !== 0
        ? fc.record({ retry: fc.record({ inIovs: iovecs, outIovs: iovecs }) })
        : request.outSize === 0
        ? fc.record({ result: fc.integer() })
        : fc.record({ result: fc.integer(), data: fc.uint8Array({ minLength: 1, maxLength: Math.min(300, request.outSize) }) })
    case "poll":
      return u32
    case "lseek":
      return offset
    case "copyFileRange":
      return u64.map((count) => {
        const most = request.wide || request.len <= 0xffffffff ? request.len : 0xffffffff
        return count <= most ? count : most
      })
    case "statx":
      return fc.record({ attrValid: duration, flags: u32, stat: statx })
    default:
      return fc.constant(undefined)
  }
}

export const notifications: ReadonlyArray<fc.Arbitrary<M.Notification>> = [
  fc.record({ notify: fc.constant("poll"), kh: u64 }),
  fc.record({ notify: fc.constant("invalInode"), ino: u64, off: s64, len: s64 }),
  fc.record({ notify: fc.constant("invalEntry"), parent: u64, name, flags: u32 }),
  fc.record({ notify: fc.constant("store"), nodeid: u64, offset: u64, data: bytes(300) }),
  fc.record({ notify: fc.constant("retrieve"), notifyUnique: u64, nodeid: u64, offset: u64, size: u32 }),
  fc.record({ notify: fc.constant("delete"), parent: u64, child: u64, name }),
  fc.constant({ notify: "resend" }),
  fc.constant({ notify: "incEpoch" }),
  fc.record({ notify: fc.constant("prune"), nodeids: fc.array(u64, { maxLength: 50 }) })
]
