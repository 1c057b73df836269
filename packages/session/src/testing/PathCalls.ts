/**
 * Calls by path, as a program makes them: the kernel's part of path resolution, opening and closing, for tests.
 * Each call gives back with BATCH_FORGET the lookups that it was answered.
 */
import { openFlags, openReplyFlags, setattrValid, statMode } from "@bickford/protocol"
import type { Attr, BatchForgetRequest, Dirent, DirentPlus, Entry, InitReply, Name, Open, ReplyOf, U64 } from "@bickford/protocol"
import { hasFlag } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import { Errno, type ErrnoError } from "../errno.ts"
import type { FakeKernelError, RequestInput } from "./kernelRequests.ts"

/** What a call by path can fail with: the errno that the program would see, or a fault of the server's. */
type Failure = ErrnoError | FakeKernelError
type Answered<A> = Effect.Effect<A, Failure>

/**
 * The calls of a program, by absolute path within the mount. They send what the kernel sends for them, from LOOKUP to
 * RELEASE, and fail with the errno that the program would see. Symbolic links are followed as the kernel does.
 */
export interface PathCalls {
  /** A file's attributes; of a symbolic link those of its target (stat(2)). */
  readonly stat: (path: string) => Answered<Attr>
  /** As `stat`, of a symbolic link itself (lstat(2)). */
  readonly lstat: (path: string) => Answered<Attr>
  /** A file's whole content: OPEN, READ to the end, FLUSH, RELEASE. */
  readonly readFile: (path: string) => Answered<Buffer>
  /** Makes or replaces a file: CREATE, or OPEN and SETATTR of its size; then WRITE, FLUSH, RELEASE. `mode` (0644) is for a new one. */
  readonly writeFile: (path: string, data: Uint8Array | string, mode?: number) => Answered<void>
  /** The names in a directory, in the order of the server's, without `.` and `..`. */
  readonly readdir: (path: string) => Answered<ReadonlyArray<Name>>
  /** Makes a directory; `mode` is 0755 unless given. */
  readonly mkdir: (path: string, mode?: number) => Answered<void>
  /** Removes an empty directory. */
  readonly rmdir: (path: string) => Answered<void>
  /** Removes a name of what is no directory. */
  readonly unlink: (path: string) => Answered<void>
  /** Moves `path` to `newPath`, replacing what is there. `flags` of RENAME_*. */
  readonly rename: (path: string, newPath: string, flags?: number) => Answered<void>
  /** Gives the file at `path` another name. */
  readonly link: (path: string, newPath: string) => Answered<void>
  /** Makes a symbolic link at `path`. */
  readonly symlink: (target: string, path: string) => Answered<void>
  /** A symbolic link's target. */
  readonly readlink: (path: string) => Answered<Name>
  /** Sets a file's size. */
  readonly truncate: (path: string, size: U64) => Answered<void>
  /** Sets a file's permissions. */
  readonly chmod: (path: string, mode: number) => Answered<void>
}

/** What the calls are made of. */
export interface KernelSide {
  readonly call: <R extends RequestInput & { readonly op: keyof ReplyOf }>(request: R) => Answered<ReplyOf[R["op"]]>
  readonly batchForget: (forgets: BatchForgetRequest["forgets"]) => Effect.Effect<void, FakeKernelError>
  /** Waits until the server has taken everything that was sent. */
  readonly settled: Effect.Effect<void, FakeKernelError>
  /** What INIT was answered; undefined before. */
  readonly agreed: () => InitReply | undefined
}

/** A node met on a path. */
interface Node {
  readonly nodeid: U64
  readonly mode: number
}
/** A name in a directory, and the node that has it, if any. */
interface Place {
  readonly parent: U64
  readonly name: string
  readonly found: Node | undefined
}

const { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } = statMode
const root: Node = { nodeid: 1, mode: S_IFDIR }
/** Symbolic links that one path may lead through (MAXSYMLINKS). */
const mostLinks = 40
/** Bytes in one READ, WRITE or READDIR. */
const transferSize = 131072
const callersUmask = 0o022
const never = { sec: 0, nsec: 0 }

const isDirectory = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFDIR
const isLink = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFLNK

const componentsOf = (path: string): Array<string> => path.split("/").filter((part) => part !== "" && part !== ".")

/** An operation that the server may lack without the program seeing it. */
const unlessAbsent = <A>(call: Answered<A>): Answered<A | undefined> =>
  Effect.catch(call, (error) => error._tag === "ENOSYS" ? Effect.succeed(undefined) : Effect.fail<Failure>(error))

/** One call's walk over the tree, and the lookups that it holds. */
class Walk {
  readonly #kernel: KernelSide
  readonly #held = new Map<U64, number>()

  constructor(kernel: KernelSide) {
    this.#kernel = kernel
  }

  hold({ attr, nodeid }: Entry): Node {
    this.#held.set(nodeid, (this.#held.get(nodeid) ?? 0) + 1)
    return { nodeid, mode: attr.mode }
  }

  /** Gives every lookup back, and waits until the server knows. */
  release(): Effect.Effect<void, FakeKernelError> {
    if (this.#held.size === 0) return Effect.void
    return Effect.andThen(
      this.#kernel.batchForget(Array.from(this.#held, ([nodeid, nlookup]) => ({ nodeid, nlookup }))),
      this.#kernel.settled
    )
  }

  /** The node of a name, undefined when there is none. */
  lookup(parent: U64, name: string): Answered<Node | undefined> {
    return this.#kernel.call({ op: "lookup", nodeid: parent, name }).pipe(
      Effect.map((entry) => entry.nodeid === 0 ? undefined : this.hold(entry)),
      Effect.catch((error) => error._tag === "ENOENT" ? Effect.succeed(undefined) : Effect.fail<Failure>(error))
    )
  }

  /** Where a path ends. `follow`: a symbolic link there is followed too. */
  locate(path: string, follow: boolean): Answered<Place> {
    const { readlink } = this
    const lookup = this.lookup.bind(this)
    return Effect.gen(function*() {
      if (!path.startsWith("/")) return yield* Errno.EINVAL
      const left = componentsOf(path)
      const above: Array<Node> = [root]
      let place: Place = { parent: root.nodeid, name: ".", found: root }
      let links = 0
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const directory = above.at(-1) ?? root
        if (!isDirectory(directory)) return yield* Errno.ENOTDIR
        if (name === "..") {
          if (above.length > 1) above.pop()
          place = { parent: directory.nodeid, name, found: above.at(-1) ?? root }
          continue
        }
        const found: Node | undefined = yield* lookup(directory.nodeid, name)
        place = { parent: directory.nodeid, name, found }
        if (found === undefined) {
          if (left.length > 0) return yield* Errno.ENOENT
        } else if (isLink(found) && (follow || left.length > 0)) {
          if (++links > mostLinks) return yield* Errno.ELOOP
          const target = String(yield* readlink(found))
          if (target.startsWith("/")) above.length = 1
          left.unshift(...componentsOf(target))
          place = { parent: directory.nodeid, name: ".", found: above.at(-1) ?? root }
        } else above.push(found)
      }
      return place
    })
  }

  readonly readlink = (node: Node): Answered<Name> => this.#kernel.call({ op: "readlink", nodeid: node.nodeid })

  /** The node at a path; ENOENT when there is none. */
  find(path: string, follow = true): Answered<Node> {
    return Effect.flatMap(this.locate(path, follow), ({ found }) => found === undefined ? Errno.ENOENT : Effect.succeed(found))
  }

  /** A name that is free; EEXIST when it is not. */
  free(path: string): Answered<Place> {
    return Effect.flatMap(this.locate(path, false), (place) => place.found === undefined ? Effect.succeed(place) : Errno.EEXIST)
  }
}

/** An open file; `open` undefined when the server leaves opening to the kernel. */
interface OpenFile {
  readonly nodeid: U64
  readonly open: Open | undefined
  readonly flags: number
}

/** The calls of a program on the server that `kernel` talks to. */
export const pathCalls = (kernel: KernelSide): PathCalls => {
  const { call } = kernel

  const walking = <A>(body: (walk: Walk) => Answered<A>): Answered<A> =>
    Effect.suspend((): Answered<A> => {
      if (kernel.agreed() === undefined) {
        return Effect.fail({ _tag: "FakeKernelError", message: "nothing is served before INIT: call kernel.init() first" })
      }
      const walk = new Walk(kernel)
      // What went wrong with the server is the call's own failure.
      return Effect.onExit(body(walk), () => Effect.ignore(walk.release()))
    })

  const attributes = ({ nodeid }: Node): Answered<Attr> => Effect.map(call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), ({ attr }) => attr)

  const setattr = (nodeid: U64, valid: number, fields: { readonly size?: U64; readonly mode?: number; readonly fh?: U64 }): Answered<void> =>
    Effect.asVoid(call({
      op: "setattr", nodeid, valid, fh: 0, size: 0, lockOwner: 0, atime: never, mtime: never, ctime: never, mode: 0, newUid: 0, newGid: 0, ...fields
    }))

  const openFile = ({ nodeid }: Node, flags: number): Answered<OpenFile> =>
    Effect.map(unlessAbsent(call({ op: "open", nodeid, flags, openFlags: 0 })), (open) => ({ nodeid, open, flags }))

  const create = (walk: Walk, { name, parent }: Place, mode: number): Answered<OpenFile> =>
    Effect.gen(function*() {
      const flags = openFlags.O_WRONLY
      const made = yield* unlessAbsent(call({
        op: "create", nodeid: parent, name, mode: S_IFREG | mode, umask: callersUmask, flags: flags | openFlags.O_CREAT, openFlags: 0
      }))
      if (made !== undefined) return { nodeid: walk.hold(made.entry).nodeid, open: made.open, flags }
      const entry = yield* call({ op: "mknod", nodeid: parent, name, mode: S_IFREG | mode, rdev: 0, umask: callersUmask })
      return yield* openFile(walk.hold(entry), flags)
    })

  /** FLUSH and RELEASE; what FLUSH fails with is what close(2) does. */
  const closeFile = ({ flags, nodeid, open }: OpenFile): Answered<void> => {
    const fh = open?.fh ?? 0
    const flush = open !== undefined && (open.openFlags & openReplyFlags.FOPEN_NOFLUSH) !== 0
      ? Effect.void
      : Effect.asVoid(unlessAbsent(call({ op: "flush", nodeid, fh, lockOwner: 1 })))
    if (open === undefined) return flush
    return Effect.ensuring(flush, Effect.ignore(call({ op: "release", nodeid, fh, flags, releaseFlags: 0, lockOwner: 0 })))
  }

  /** Uses an open file, and closes it however that ends. */
  const using = <A>(file: OpenFile, body: (file: OpenFile) => Answered<A>): Answered<A> =>
    Effect.matchEffect(body(file), {
      onFailure: (error) => Effect.andThen(Effect.ignore(closeFile(file)), Effect.fail(error)),
      onSuccess: (value) => Effect.as(closeFile(file), value)
    })

  const readAll = ({ flags, nodeid, open }: OpenFile): Answered<Buffer> =>
    Effect.gen(function*() {
      const direct = open !== undefined && (open.openFlags & openReplyFlags.FOPEN_DIRECT_IO) !== 0
      const parts: Array<Uint8Array> = []
      for (let offset = 0;;) {
        const data = yield* call({ op: "read", nodeid, fh: open?.fh ?? 0, offset, size: transferSize, readFlags: 0, lockOwner: 0, flags })
        const part = data instanceof Uint8Array ? data : Buffer.concat([...data])
        parts.push(part)
        offset += part.length
        // Past the cache a short answer is not the end, only an empty one.
        if (part.length === 0 || (!direct && part.length < transferSize)) return Buffer.concat(parts)
      }
    })

  const writeAll = ({ flags, nodeid, open }: OpenFile, bytes: Uint8Array): Answered<void> =>
    Effect.gen(function*() {
      const most = Math.min(transferSize, kernel.agreed()?.maxWrite ?? transferSize)
      for (let offset = 0; offset < bytes.length;) {
        const data = bytes.subarray(offset, offset + most)
        const written = yield* call({
          op: "write", nodeid, fh: open?.fh ?? 0, offset, size: data.length, writeFlags: 0, lockOwner: 0, flags, data
        })
        if (written === 0) return yield* Errno.EIO
        offset += written
      }
    })

  const listing = (walk: Walk, { nodeid }: Node, fh: U64): Answered<ReadonlyArray<Name>> =>
    Effect.gen(function*() {
      const names: Array<Name> = []
      const agreed = kernel.agreed()
      let offset: U64 = 0
      let plus = agreed !== undefined && hasFlag(agreed, "FUSE_DO_READDIRPLUS")
      for (;;) {
        const before: U64 = offset
        const request = { nodeid, fh, offset, size: transferSize, readFlags: 0, lockOwner: 0, flags: 0 }
        const withNodes: Iterable<DirentPlus> | undefined = plus ? yield* unlessAbsent(call({ op: "readdirplus", ...request })) : undefined
        plus = withNodes !== undefined
        const entries: Iterable<Dirent | DirentPlus> = withNodes ?? (yield* call({ op: "readdir", ...request }))
        for (const entry of entries) {
          offset = entry.off
          if (entry.name === "." || entry.name === "..") continue
          if ("entry" in entry && entry.entry !== undefined) walk.hold(entry.entry)
          names.push(entry.name)
        }
        if (offset === before) return names
      }
    })

  const remove = (op: "unlink" | "rmdir", path: string): Answered<void> =>
    walking((walk) =>
      Effect.gen(function*() {
        const { found, name, parent } = yield* walk.locate(path, false)
        if (found === undefined) return yield* Errno.ENOENT
        if (found === root) return yield* Errno.EBUSY
        if (op === "unlink" && isDirectory(found)) return yield* Errno.EISDIR
        if (op === "rmdir" && !isDirectory(found)) return yield* Errno.ENOTDIR
        yield* call({ op, nodeid: parent, name })
      })
    )

  return {
    stat: (path) => walking((walk) => Effect.flatMap(walk.find(path), attributes)),
    lstat: (path) => walking((walk) => Effect.flatMap(walk.find(path, false), attributes)),
    readFile: (path) =>
      walking((walk) =>
        Effect.gen(function*() {
          const node = yield* walk.find(path)
          if (isDirectory(node)) return yield* Errno.EISDIR
          return yield* using(yield* openFile(node, openFlags.O_RDONLY), readAll)
        })
      ),
    writeFile: (path, data, mode = 0o644) =>
      walking((walk) =>
        Effect.gen(function*() {
          const place = yield* walk.locate(path, true)
          const { found } = place
          if (found !== undefined && isDirectory(found)) return yield* Errno.EISDIR
          const file = found === undefined ? yield* create(walk, place, mode) : yield* openFile(found, openFlags.O_WRONLY)
          yield* using(file, () =>
            Effect.gen(function*() {
              const { FATTR_FH, FATTR_SIZE } = setattrValid
              const { nodeid, open } = file
              if (found !== undefined) yield* setattr(nodeid, open === undefined ? FATTR_SIZE : FATTR_SIZE | FATTR_FH, { fh: open?.fh ?? 0 })
              yield* writeAll(file, typeof data === "string" ? Buffer.from(data) : data)
            }))
        })
      ),
    readdir: (path) =>
      walking((walk) =>
        Effect.gen(function*() {
          const node = yield* walk.find(path)
          if (!isDirectory(node)) return yield* Errno.ENOTDIR
          const { nodeid } = node
          const open = yield* unlessAbsent(call({ op: "opendir", nodeid, flags: openFlags.O_DIRECTORY, openFlags: 0 }))
          const fh = open?.fh ?? 0
          const release = open === undefined
            ? Effect.void
            : Effect.ignore(call({ op: "releasedir", nodeid, fh, flags: openFlags.O_DIRECTORY, releaseFlags: 0, lockOwner: 0 }))
          return yield* Effect.ensuring(listing(walk, node, fh), release)
        })
      ),
    mkdir: (path, mode = 0o755) =>
      walking((walk) =>
        Effect.gen(function*() {
          const { name, parent } = yield* walk.free(path)
          walk.hold(yield* call({ op: "mkdir", nodeid: parent, name, mode, umask: callersUmask }))
        })
      ),
    rmdir: (path) => remove("rmdir", path),
    unlink: (path) => remove("unlink", path),
    rename: (path, newPath, flags = 0) =>
      walking((walk) =>
        Effect.gen(function*() {
          const from = yield* walk.locate(path, false)
          if (from.found === undefined) return yield* Errno.ENOENT
          const to = yield* walk.locate(newPath, false)
          yield* call({ op: "rename", nodeid: from.parent, name: from.name, newdir: to.parent, newname: to.name, flags })
        })
      ),
    link: (path, newPath) =>
      walking((walk) =>
        Effect.gen(function*() {
          const { nodeid } = yield* walk.find(path, false)
          const { name, parent } = yield* walk.free(newPath)
          walk.hold(yield* call({ op: "link", nodeid: parent, oldnodeid: nodeid, newname: name }))
        })
      ),
    symlink: (target, path) =>
      walking((walk) =>
        Effect.gen(function*() {
          const { name, parent } = yield* walk.free(path)
          walk.hold(yield* call({ op: "symlink", nodeid: parent, name, target }))
        })
      ),
    readlink: (path) =>
      walking((walk) =>
        Effect.flatMap(walk.find(path, false), (node) => isLink(node) ? walk.readlink(node) : Errno.EINVAL)
      ),
    truncate: (path, size) => walking((walk) => Effect.flatMap(walk.find(path), ({ nodeid }) => setattr(nodeid, setattrValid.FATTR_SIZE, { size }))),
    chmod: (path, mode) =>
      walking((walk) =>
        Effect.flatMap(walk.find(path), (node) => setattr(node.nodeid, setattrValid.FATTR_MODE, { mode: (node.mode & S_IFMT) | mode }))
      )
  }
}
