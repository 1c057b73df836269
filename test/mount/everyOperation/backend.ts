/**
 * A filesystem that has every operation and remembers what it was asked.
 *
 * It keeps nothing: its nodes are fixed, what is made answers with `made`, and every answer is one that a caller can
 * tell from a default. The kernel may trust nothing of it, so that each call of a program is asked for.
 */
import { type Attr, type Dirent, type Entry, openReplyFlags, type Request } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

const never = { sec: 0, nsec: 0 }
const birth = { sec: 1_000_000_000, nsec: 0 }

const attr = (ino: number, mode: number, size = 0): Attr => ({
  ino,
  mode,
  size,
  blocks: 3,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0,
  atime: never,
  mtime: never,
  ctime: never
})

/** Node ids. */
export const node = { root: 1, file: 2, link: 3, many: 4, made: 5, gone: 6 } as const

const attrs: { readonly [nodeid: number]: Attr } = {
  [node.root]: attr(node.root, 0o40777),
  [node.file]: attr(node.file, 0o100666, 20),
  [node.link]: attr(node.link, 0o120777, 4),
  [node.many]: attr(node.many, 0o40777),
  [node.made]: attr(node.made, 0o100644),
  [node.gone]: attr(node.gone, 0o40777)
}

const attrOf = (nodeid: Request["nodeid"]): Attr | undefined => attrs[Number(nodeid)]

const entryOf = (nodeid: number, of: Attr): Entry => ({
  nodeid,
  generation: 0,
  entryValid: never,
  attrValid: never,
  attr: of
})

/** What is found under the root. `gone` is a directory to be removed. */
const names: { readonly [name: string]: number } = {
  file: node.file,
  link: node.link,
  many: node.many,
  gone: node.gone
}

const made = (mode: number) => Exit.succeed(entryOf(node.made, attr(node.made, mode)))

const manyNames = 200

/** `many`: names so long that two requests are needed to list them. */
const listing = (offset: number): ReadonlyArray<Dirent> =>
  Array.from({ length: manyNames - offset }, (_, i) => {
    const number = offset + i
    return { ino: 1000 + number, off: number + 1, type: 8, name: `${"n".repeat(100)}${number}` }
  })

/** The backend, and its requests in the order in which they came. `open`, `opendir`: the FOPEN_* flags of its replies. */
export const everyOperation = ({
  open = openReplyFlags.FOPEN_DIRECT_IO,
  opendir = 0
}: { readonly open?: number; readonly opendir?: number } = {}) => {
  const asked: Array<Request> = []
  const done = (request: Request): Exit.Exit<void> => {
    asked.push(request)
    return Exit.void
  }
  /** Notes the request, then answers. */
  const noting =
    <Req extends Request, A>(answer: (request: Req) => A) =>
    (request: Req): A => {
      asked.push(request)
      return answer(request)
    }
  const backend: Backend = {
    capabilities: { posixLocks: true, flock: true, autoInvalData: false, asyncDio: false },
    forget: (nodeid, nlookup) => asked.push({ op: "forget", unique: 0, nodeid, nlookup, uid: 0, gid: 0, pid: 0 }),
    lookup: noting(({ name }) => {
      const nodeid = typeof name === "string" ? names[name] : undefined
      const found = nodeid === undefined ? undefined : attrOf(nodeid)
      return nodeid === undefined || found === undefined ? Errno.ENOENT : Exit.succeed(entryOf(nodeid, found))
    }),
    getattr: noting(({ nodeid }) => {
      const found = attrOf(nodeid)
      return found === undefined ? Errno.ESTALE : Exit.succeed({ attrValid: never, attr: found })
    }),
    setattr: noting(({ mode, nodeid }) =>
      Exit.succeed({ attrValid: never, attr: attr(Number(nodeid), mode === 0 ? 0o100666 : 0o100000 | mode) })
    ),
    readlink: noting(() => Exit.succeed("file")),
    symlink: noting(() => Exit.succeed(entryOf(node.link, attr(node.link, 0o120777, 6)))),
    mknod: noting(({ mode }) => made(mode)),
    mkdir: noting(({ mode }) => made(0o40000 | mode)),
    unlink: done,
    rmdir: done,
    rename: done,
    link: noting(() => Exit.succeed(entryOf(node.file, attr(node.file, 0o100666, 20)))),
    open: noting(() => Exit.succeed({ fh: 7, openFlags: open })),
    read: noting(({ offset, size }) =>
      Exit.succeed(Buffer.from("twenty bytes of text").subarray(Number(offset), Number(offset) + size))
    ),
    write: noting(({ data }) => Exit.succeed(data.length)),
    statfs: noting(() =>
      Exit.succeed({
        blocks: 1000,
        bfree: 500,
        bavail: 123,
        files: 10,
        ffree: 5,
        bsize: 4096,
        namelen: 255,
        frsize: 4096
      })
    ),
    release: done,
    fsync: done,
    setxattr: done,
    getxattr: noting(({ name, size }) =>
      name !== "user.colour" ? Errno.ENODATA : Exit.succeed(size === 0 ? { size: 4 } : Buffer.from("blue"))
    ),
    listxattr: noting(({ size }) => Exit.succeed(size === 0 ? { size: 12 } : Buffer.from("user.colour\0"))),
    removexattr: done,
    // What close(2) tells the caller.
    flush: noting(() => Errno.EDQUOT),
    opendir: noting(() => Exit.succeed({ fh: 8, openFlags: opendir })),
    readdir: noting(({ offset }) => Exit.succeed(listing(Number(offset)))),
    readdirplus: noting(({ offset }) =>
      Exit.succeed(listing(Number(offset)).map((entry) => ({ ...entry, entry: undefined })))
    ),
    releasedir: done,
    fsyncdir: done,
    getlk: noting(() => Exit.succeed({ type: 1, start: 5, end: 8, pid: 4242 })),
    setlk: noting(({ lk }) => (lk.type === 2 ? Exit.void : Errno.EAGAIN)),
    setlkw: done,
    access: noting(({ mask }) => ((mask & 2) === 0 ? Exit.void : Errno.EACCES)),
    create: noting(({ mode }) =>
      Exit.succeed({ entry: entryOf(node.made, attr(node.made, mode)), open: { fh: 9, openFlags: 0 } })
    ),
    bmap: noting(({ block }) => Exit.succeed(Number(block) + 100)),
    ioctl: noting(({ data }) => Exit.succeed({ result: 5, data: Buffer.from(data).reverse() })),
    poll: noting(() => Exit.succeed(1)),
    fallocate: done,
    lseek: noting(({ whence }) => (whence === 3 ? Exit.succeed(11) : Errno.ENXIO)),
    copyFileRange: noting(() => Exit.succeed(6)),
    syncfs: done,
    tmpfile: noting(({ mode }) =>
      Exit.succeed({ entry: entryOf(node.made, attr(node.made, mode)), open: { fh: 10, openFlags: 0 } })
    ),
    statx: noting(({ nodeid }) => {
      const of = attrOf(nodeid) ?? attr(0, 0)
      return Exit.succeed({
        attrValid: never,
        flags: 0,
        stat: {
          mask: 0xfff,
          blksize: 4096,
          attributes: 0,
          nlink: 1,
          uid: 0,
          gid: 0,
          mode: of.mode,
          ino: of.ino,
          size: of.size,
          blocks: 3,
          attributesMask: 0,
          atime: never,
          btime: birth,
          ctime: never,
          mtime: never,
          rdevMajor: 0,
          rdevMinor: 0,
          devMajor: 0,
          devMinor: 0
        }
      })
    }),
    destroy: () => Effect.sync(() => asked.push({ op: "destroy", unique: 0, nodeid: 0, uid: 0, gid: 0, pid: 0 }))
  }
  return { backend, asked }
}
