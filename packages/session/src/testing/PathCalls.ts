/**
 * Calls by path, as a program makes them: the kernel's part of path resolution, opening and closing, for tests.
 * Each call gives back with BATCH_FORGET the lookups that it was answered.
 */
import { type Attr, type Name, openFlags, setattrValid, statMode, type U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { Errno } from "../errno.ts"
import { type Answered, type KernelSide, unlessAbsent } from "./kernelSide.ts"
import { callersUmask, createFile, listNames, openFile, readAll, usingFile, writeAll } from "./openFiles.ts"
import { isDirectory, isLink, type Node, root, Walk } from "./PathWalk.ts"

const never = { sec: 0, nsec: 0 }

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

/** Runs a call with a walk of its own, whose lookups are given back at its end. */
const walking = <A>(kernel: KernelSide, body: (walk: Walk) => Answered<A>): Answered<A> =>
  Effect.suspend((): Answered<A> => {
    if (kernel.agreed() === undefined) {
      return Effect.fail({
        _tag: "FakeKernelError",
        message: "nothing is served before INIT: call kernel.init() first"
      })
    }
    const walk = new Walk(kernel)
    // What went wrong with the server is the call's own failure.
    return Effect.onExit(body(walk), () => Effect.ignore(walk.release()))
  })

const attributes = (kernel: KernelSide, { nodeid }: Node): Answered<Attr> =>
  Effect.map(kernel.call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), ({ attr }) => attr)

const setattr = (
  kernel: KernelSide,
  nodeid: U64,
  valid: number,
  fields: { readonly size?: U64; readonly mode?: number; readonly fh?: U64 }
): Answered<void> =>
  Effect.asVoid(
    kernel.call({
      op: "setattr",
      nodeid,
      valid,
      fh: 0,
      size: 0,
      lockOwner: 0,
      atime: never,
      mtime: never,
      ctime: never,
      mode: 0,
      newUid: 0,
      newGid: 0,
      ...fields
    })
  )

/** The calls that look. */
const lookingCalls = (kernel: KernelSide): Pick<PathCalls, "stat" | "lstat" | "readFile" | "readdir" | "readlink"> => ({
  stat: (path) => walking(kernel, (walk) => Effect.flatMap(walk.find(path), (node) => attributes(kernel, node))),
  lstat: (path) =>
    walking(kernel, (walk) => Effect.flatMap(walk.find(path, false), (node) => attributes(kernel, node))),
  readFile: (path) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        if (isDirectory(node)) return yield* Errno.EISDIR
        return yield* usingFile(kernel, yield* openFile(kernel, node, openFlags.O_RDONLY), (file) =>
          readAll(kernel, file)
        )
      })
    ),
  readdir: (path) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        if (!isDirectory(node)) return yield* Errno.ENOTDIR
        const { nodeid } = node
        const open = yield* unlessAbsent(
          kernel.call({ op: "opendir", nodeid, flags: openFlags.O_DIRECTORY, openFlags: 0 })
        )
        const fh = open?.fh ?? 0
        const release =
          open === undefined
            ? Effect.void
            : Effect.ignore(
                kernel.call({
                  op: "releasedir",
                  nodeid,
                  fh,
                  flags: openFlags.O_DIRECTORY,
                  releaseFlags: 0,
                  lockOwner: 0
                })
              )
        return yield* Effect.ensuring(listNames(kernel, walk, nodeid, fh), release)
      })
    ),
  readlink: (path) =>
    walking(kernel, (walk) =>
      Effect.flatMap(walk.find(path, false), (node) => (isLink(node) ? walk.readlink(node) : Errno.EINVAL))
    )
})

/** The calls that make, change and remove files. */
const fileCalls = (kernel: KernelSide): Pick<PathCalls, "writeFile" | "truncate" | "chmod"> => ({
  writeFile: (path, data, mode = 0o644) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const place = yield* walk.locate(path, true)
        const { found } = place
        if (found !== undefined && isDirectory(found)) return yield* Errno.EISDIR
        const file =
          found === undefined
            ? yield* createFile(kernel, walk, place, mode)
            : yield* openFile(kernel, found, openFlags.O_WRONLY)
        yield* usingFile(kernel, file, () =>
          Effect.gen(function* () {
            const { FATTR_FH, FATTR_SIZE } = setattrValid
            const { nodeid, open } = file
            if (found !== undefined)
              yield* setattr(kernel, nodeid, open === undefined ? FATTR_SIZE : FATTR_SIZE | FATTR_FH, {
                fh: open?.fh ?? 0
              })
            yield* writeAll(kernel, file, typeof data === "string" ? Buffer.from(data) : data)
          })
        )
      })
    ),
  truncate: (path, size) =>
    walking(kernel, (walk) =>
      Effect.flatMap(walk.find(path), ({ nodeid }) => setattr(kernel, nodeid, setattrValid.FATTR_SIZE, { size }))
    ),
  chmod: (path, mode) =>
    walking(kernel, (walk) =>
      Effect.flatMap(walk.find(path), (node) =>
        setattr(kernel, node.nodeid, setattrValid.FATTR_MODE, { mode: (node.mode & statMode.S_IFMT) | mode })
      )
    )
})

const remove = (kernel: KernelSide, op: "unlink" | "rmdir", path: string): Answered<void> =>
  walking(kernel, (walk) =>
    Effect.gen(function* () {
      const { found, name, parent } = yield* walk.locate(path, false)
      if (found === undefined) return yield* Errno.ENOENT
      if (found === root) return yield* Errno.EBUSY
      if (op === "unlink" && isDirectory(found)) return yield* Errno.EISDIR
      if (op === "rmdir" && !isDirectory(found)) return yield* Errno.ENOTDIR
      yield* kernel.call({ op, nodeid: parent, name })
    })
  )

/** The calls that make, move and remove names. */
const nameCalls = (
  kernel: KernelSide
): Omit<PathCalls, keyof ReturnType<typeof lookingCalls> | keyof ReturnType<typeof fileCalls>> => ({
  mkdir: (path, mode = 0o755) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const { name, parent } = yield* walk.free(path)
        walk.hold(yield* kernel.call({ op: "mkdir", nodeid: parent, name, mode, umask: callersUmask }))
      })
    ),
  rmdir: (path) => remove(kernel, "rmdir", path),
  unlink: (path) => remove(kernel, "unlink", path),
  rename: (path, newPath, flags = 0) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const from = yield* walk.locate(path, false)
        if (from.found === undefined) return yield* Errno.ENOENT
        const to = yield* walk.locate(newPath, false)
        yield* kernel.call({
          op: "rename",
          nodeid: from.parent,
          name: from.name,
          newdir: to.parent,
          newname: to.name,
          flags
        })
      })
    ),
  link: (path, newPath) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const { nodeid } = yield* walk.find(path, false)
        const { name, parent } = yield* walk.free(newPath)
        walk.hold(yield* kernel.call({ op: "link", nodeid: parent, oldnodeid: nodeid, newname: name }))
      })
    ),
  symlink: (target, path) =>
    walking(kernel, (walk) =>
      Effect.gen(function* () {
        const { name, parent } = yield* walk.free(path)
        walk.hold(yield* kernel.call({ op: "symlink", nodeid: parent, name, target }))
      })
    )
})

/** The calls of a program on the server that `kernel` talks to. */
export const pathCalls = (kernel: KernelSide): PathCalls => ({
  ...lookingCalls(kernel),
  ...fileCalls(kernel),
  ...nameCalls(kernel)
})
