/**
 * What the kernel does to a backend, for tests: builds requests, counts lookups and forgets a node
 * when its count is zero, takes as many directory entries as fit.
 */
import type { AnswerOf, DataPart, DirentPlus, Entry, Name, ReplyOf, Request, Timespec, U64 } from "@bickford/protocol"
import type { Backend, ErrnoError, Operation, RequestContext } from "@bickford/session"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"

export interface Caller {
  readonly uid: number
  readonly gid: number
  readonly groups?: ReadonlyArray<number>
}
const root: Caller = { uid: 0, gid: 0 }
export const epoch: Timespec = { sec: 0, nsec: 0 }
export const rootNode = 1

type RequestOf<Op extends Request["op"]> = Extract<Request, { readonly op: Op }>
type Fields<Op extends Request["op"]> = Partial<Omit<RequestOf<Op>, "op" | "unique" | "uid" | "gid" | "pid">>

export const makeKernel = (backend: Backend, caller: Caller = root) => {
  let unique = 0
  const counts = new Map<U64, number>()

  const header = (as: Caller) => ({ unique: (unique += 2), nodeid: rootNode, uid: as.uid, gid: as.gid, pid: 1 })
  const contextOf = (as: Caller): RequestContext =>
    requestContext({ uid: as.uid, gid: as.gid, unique, groups: () => as.groups ?? [] })
  const run = <Req extends { readonly op: keyof ReplyOf; readonly unique: U64 }>(
    operation: Operation<Req> | undefined,
    request: Req,
    as: Caller
  ): Effect.Effect<AnswerOf<Req["op"]>, ErrnoError> => {
    if (operation === undefined) return Effect.die(new Error(`no ${request.op}`))
    const { commit, delivered } = backend
    const answer = Effect.suspend(() => operation(request, contextOf(as)))
    if (commit === undefined) return answer
    return Effect.gen(function* () {
      const exit = yield* Effect.exit(answer)
      yield* commit
      delivered?.([request.unique])
      return yield* exit
    })
  }
  const count = (entry: Entry): Entry => {
    counts.set(entry.nodeid, (counts.get(entry.nodeid) ?? 0) + 1)
    return { ...entry, nodeid: entry.nodeid, attr: entry.attr }
  }
  const counted = Effect.map(count)
  /** The handle that was given last. */
  let fh: U64 = 0
  const handle = {
    get fh() {
      return fh
    },
    flags: 0,
    lockOwner: 1
  }
  const creation = { name: "file", mode: 0o644, umask: 0, flags: 0, openFlags: 0 }
  const listing = { ...handle, offset: 0, size: 4096, readFlags: 0 }
  const wholeFile = { start: 0, end: 0x7fffffffffffffffn, type: 1, pid: 1 }
  const lock = { fh: 0, owner: 1, lk: wholeFile, lkFlags: 0 }

  const kernel = {
    counts,

    lookup: (nodeid: U64, name: Name) =>
      run(backend.lookup, { op: "lookup", ...header(caller), nodeid, name }, caller).pipe(counted),
    /** Drops all the lookups of a node, or so many of them. */
    forget: (nodeid: U64, nlookup = counts.get(nodeid) ?? 0) => {
      const left = (counts.get(nodeid) ?? 0) - nlookup
      counts.set(nodeid, left)
      backend.forget?.(nodeid, nlookup, left)
    },
    getattr: (nodeid: U64) =>
      run(backend.getattr, { op: "getattr", ...header(caller), nodeid, fh: 0, getattrFlags: 0 }, caller).pipe(
        Effect.map(({ attr }) => ({
          ino: attr.ino,
          size: attr.size,
          blocks: attr.blocks,
          mode: attr.mode,
          nlink: attr.nlink,
          uid: attr.uid,
          gid: attr.gid,
          rdev: attr.rdev,
          atime: attr.atime,
          mtime: attr.mtime,
          ctime: attr.ctime
        }))
      ),
    setattr: (fields: Fields<"setattr">, as: Caller = caller) =>
      run(
        backend.setattr,
        {
          op: "setattr",
          ...header(as),
          fh: 0,
          valid: 0,
          size: 0,
          lockOwner: 0,
          atime: epoch,
          mtime: epoch,
          ctime: epoch,
          mode: 0,
          newUid: 0,
          newGid: 0,
          ...fields
        },
        as
      ),
    mknod: (fields: Fields<"mknod">, as: Caller = caller) =>
      run(
        backend.mknod,
        { op: "mknod", ...header(as), name: "node", mode: 0o100644, rdev: 0, umask: 0, ...fields },
        as
      ).pipe(counted),
    mkdir: (fields: Fields<"mkdir">, as: Caller = caller) =>
      run(backend.mkdir, { op: "mkdir", ...header(as), name: "dir", mode: 0o755, umask: 0, ...fields }, as).pipe(
        counted
      ),
    symlink: (fields: Fields<"symlink">) =>
      run(
        backend.symlink,
        { op: "symlink", ...header(caller), name: "link", target: "target", ...fields },
        caller
      ).pipe(counted),
    readlink: (nodeid: U64) => run(backend.readlink, { op: "readlink", ...header(caller), nodeid }, caller),
    create: (fields: Fields<"create">, as: Caller = caller) =>
      run(backend.create, { op: "create", ...header(as), ...creation, ...fields }, as).pipe(
        Effect.map(({ entry, open }) => {
          fh = open.fh
          return count(entry)
        })
      ),
    tmpfile: (fields: Fields<"tmpfile">, as: Caller = caller) =>
      run(backend.tmpfile, { op: "tmpfile", ...header(as), ...creation, name: "/", ...fields }, as).pipe(
        Effect.map(({ entry }) => count(entry))
      ),
    link: (oldnodeid: U64, nodeid: U64, newname: Name) =>
      run(backend.link, { op: "link", ...header(caller), oldnodeid, nodeid, newname }, caller).pipe(counted),
    unlink: (nodeid: U64, name: Name) => run(backend.unlink, { op: "unlink", ...header(caller), nodeid, name }, caller),
    rmdir: (nodeid: U64, name: Name) => run(backend.rmdir, { op: "rmdir", ...header(caller), nodeid, name }, caller),
    rename: (nodeid: U64, name: Name, newdir: U64, newname: Name, flags = 0) =>
      run(backend.rename, { op: "rename", ...header(caller), nodeid, name, newdir, newname, flags }, caller),
    open: (fields: Fields<"open">) =>
      run(backend.open, { op: "open", ...header(caller), flags: 0, openFlags: 0, ...fields }, caller).pipe(
        Effect.tap((open) => Effect.sync(() => (fh = open.fh)))
      ),
    opendir: (nodeid: U64) =>
      run(backend.opendir, { op: "opendir", ...header(caller), nodeid, flags: 0, openFlags: 0 }, caller).pipe(
        Effect.tap((open) => Effect.sync(() => (fh = open.fh)))
      ),
    read: (nodeid: U64, offset: U64, size: number, flags = 0) =>
      run(backend.read, { op: "read", ...header(caller), ...listing, fh, nodeid, offset, size, flags }, caller).pipe(
        Effect.map((data) => {
          const parts = Array.isArray(data) ? (data as ReadonlyArray<DataPart>) : [data as DataPart]
          return new Uint8Array(
            Buffer.concat(
              parts.map((part) => {
                if (part instanceof Uint8Array) return part
                throw new Error("the content is not in memory")
              })
            )
          )
        })
      ),
    write: (nodeid: U64, offset: U64, data: Uint8Array, fields: Fields<"write"> = {}, as: Caller = caller) =>
      run(
        backend.write,
        { op: "write", ...header(as), ...handle, nodeid, offset, size: data.length, writeFlags: 0, data, ...fields },
        as
      ),
    fallocate: (nodeid: U64, mode: number, offset: U64, length: U64) =>
      run(backend.fallocate, { op: "fallocate", ...header(caller), nodeid, fh, mode, offset, length }, caller),
    lseek: (nodeid: U64, offset: U64, whence: number) =>
      run(backend.lseek, { op: "lseek", ...header(caller), nodeid, fh, offset, whence }, caller),
    copyFileRange: (nodeid: U64, offIn: U64, nodeidOut: U64, offOut: U64, len: U64) =>
      run(
        backend.copyFileRange,
        {
          op: "copyFileRange",
          ...header(caller),
          wide: true,
          nodeid,
          fhIn: fh,
          offIn,
          nodeidOut,
          fhOut: fh,
          offOut,
          len,
          flags: 0
        },
        caller
      ),
    statfs: () => run(backend.statfs, { op: "statfs", ...header(caller) }, caller),
    statx: (nodeid: U64) =>
      run(
        backend.statx,
        { op: "statx", ...header(caller), nodeid, fh: 0, getattrFlags: 0, sxFlags: 0, sxMask: 0xfff },
        caller
      ),
    poll: (nodeid: U64, events: number) =>
      run(backend.poll, { op: "poll", ...header(caller), nodeid, fh: 0, kh: 0, flags: 0, events }, caller),
    getxattr: (nodeid: U64, name: Name, size = 65536, as: Caller = caller) =>
      run(backend.getxattr, { op: "getxattr", ...header(as), nodeid, name, size }, as),
    setxattr: (nodeid: U64, name: Name, value: Uint8Array, flags = 0) =>
      run(
        backend.setxattr,
        { op: "setxattr", ...header(caller), nodeid, name, value, flags, setxattrFlags: 0 },
        caller
      ),
    listxattr: (nodeid: U64, size = 65536, as: Caller = caller) =>
      run(backend.listxattr, { op: "listxattr", ...header(as), nodeid, size }, as),
    removexattr: (nodeid: U64, name: Name) =>
      run(backend.removexattr, { op: "removexattr", ...header(caller), nodeid, name }, caller),
    /** As many entries as are asked for, from a cookie on. */
    readdir: (nodeid: U64, offset: U64 = 0, most = Number.POSITIVE_INFINITY) =>
      run(backend.readdir, { op: "readdir", ...header(caller), ...listing, fh, nodeid, offset }, caller).pipe(
        Effect.map((entries) => take(entries, most).map(({ ino, name, off, type }) => ({ ino, name, off, type })))
      ),
    /** As the packer does it: one entry more is taken than is kept. */
    readdirplus: (nodeid: U64, offset: U64 = 0, most = Number.POSITIVE_INFINITY) =>
      run(backend.readdirplus, { op: "readdirplus", ...header(caller), ...listing, fh, nodeid, offset }, caller).pipe(
        Effect.map((entries) => {
          const kept: Array<DirentPlus> = []
          for (const entry of entries) {
            if (kept.length >= most) break
            kept.push(entry)
            if (entry.entry !== undefined) count(entry.entry)
          }
          return kept
        })
      ),
    getlk: (fields: Fields<"getlk">) =>
      run(backend.getlk, { op: "getlk", ...header(caller), ...lock, ...fields }, caller),
    setlk: (fields: Fields<"setlk">) =>
      run(backend.setlk, { op: "setlk", ...header(caller), ...lock, ...fields }, caller),
    setlkw: (fields: Fields<"setlkw">) =>
      run(backend.setlkw, { op: "setlkw", ...header(caller), ...lock, ...fields }, caller),
    fsync: (nodeid: U64) => run(backend.fsync, { op: "fsync", ...header(caller), nodeid, fh, fsyncFlags: 0 }, caller),
    flush: (fields: Fields<"flush">) =>
      run(backend.flush, { op: "flush", ...header(caller), ...handle, ...fields }, caller),
    release: (fields: Fields<"release">) =>
      run(backend.release, { op: "release", ...header(caller), ...handle, releaseFlags: 0, ...fields }, caller)
  }
  return kernel
}

const take = <A>(items: Iterable<A>, most: number): Array<A> => {
  const taken: Array<A> = []
  for (const item of items) {
    if (taken.length >= most) break
    taken.push(item)
  }
  return taken
}

/** The name of the errno an operation fails with, or "ok". */
export const outcome = <A>(effect: Effect.Effect<A, ErrnoError>): Effect.Effect<string> =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
