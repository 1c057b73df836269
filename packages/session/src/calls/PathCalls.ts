/**
 * Calls by path, as a program makes them: the kernel's part of path resolution, opening and closing.
 * Each call gives back with BATCH_FORGET the lookups that it was answered.
 */
import { type Attr, type Name, openFlags, setattrValid, statMode, type U64, writeFlags } from "@bickford/protocol"
import { hasFlag } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import { Errno } from "../errno.ts"
import { type Answered, type Fault, type KernelSide, unlessAbsent } from "./KernelSide.ts"
import { createFile, listNames, openFile, readAll, usingFile, writeAll } from "./openFiles.ts"
import { isDirectory, isLink, type Node, type Place, root } from "./Node.ts"
import { Walk } from "./PathWalk.ts"
import { type Caller, isIn, mayExecute, mayRead, mayWrite, noRules, type Rules } from "./permissions.ts"
import { setattr } from "./setattr.ts"

/**
 * The calls of a program, by absolute path within the mount. They send what the kernel sends for them, from LOOKUP to
 * RELEASE, and fail with the errno that the program would see. Symbolic links are followed as the kernel does.
 */
export interface PathCalls<F extends Fault = never> {
  /** A file's attributes; of a symbolic link those of its target (stat(2)). */
  readonly stat: (path: string) => Answered<Attr, F>
  /** As `stat`, of a symbolic link itself (lstat(2)). */
  readonly lstat: (path: string) => Answered<Attr, F>
  /** A file's whole content: OPEN, READ to the end, FLUSH, RELEASE. */
  readonly readFile: (path: string) => Answered<Buffer, F>
  /** Makes or replaces a file: CREATE, or OPEN and SETATTR of its size; then WRITE, FLUSH, RELEASE. `mode` (0644) is for a new one. */
  readonly writeFile: (path: string, data: Uint8Array | string, mode?: number) => Answered<void, F>
  /** The names in a directory, in the order of the server's, without `.` and `..`. */
  readonly readdir: (path: string) => Answered<ReadonlyArray<Name>, F>
  /** Makes a directory; `mode` is 0755 unless given. */
  readonly mkdir: (path: string, mode?: number) => Answered<void, F>
  /** Removes an empty directory. */
  readonly rmdir: (path: string) => Answered<void, F>
  /** Removes a name of what is no directory. */
  readonly unlink: (path: string) => Answered<void, F>
  /** Moves `path` to `newPath`, replacing what is there. `flags` of RENAME_*. */
  readonly rename: (path: string, newPath: string, flags?: number) => Answered<void, F>
  /** Gives the file at `path` another name. */
  readonly link: (path: string, newPath: string) => Answered<void, F>
  /** Makes a symbolic link at `path`. */
  readonly symlink: (target: string, path: string) => Answered<void, F>
  /** A symbolic link's target. */
  readonly readlink: (path: string) => Answered<Name, F>
  /** Sets a file's size. */
  readonly truncate: (path: string, size: U64) => Answered<void, F>
  /** Sets a file's permissions. */
  readonly chmod: (path: string, mode: number) => Answered<void, F>
}

/** A kernel's requests, and who may make them. */
export interface Ruled<F extends Fault = never> {
  readonly kernel: KernelSide<F>
  readonly rules: Rules<F>
}

/** Runs a call with a walk of its own, whose lookups are given back at its end. */
export const walking = <A, F extends Fault>(
  { kernel, rules }: Ruled<F>,
  body: (walk: Walk<F>) => Answered<A, F>
): Answered<A, F> =>
  Effect.andThen(
    kernel.ready,
    Effect.suspend(() => {
      const walk = new Walk(kernel, rules)
      // What went wrong with the server is the call's own failure.
      return Effect.onExit(body(walk), () => Effect.ignore(walk.release()))
    })
  )

/** A node's attributes, asked for anew. */
export const attributes = <F extends Fault>(
  kernel: KernelSide<F>,
  { nodeid }: Pick<Node, "nodeid">
): Answered<Attr, F> => Effect.map(kernel.call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), ({ attr }) => attr)

/** Opens a directory, uses its handle, and closes it. */
export const usingDirectory = <A, F extends Fault>(
  { kernel, rules }: Ruled<F>,
  node: Node,
  body: (fh: U64) => Answered<A, F>
): Answered<A, F> =>
  Effect.gen(function* () {
    if (!isDirectory(node)) return yield* Errno.ENOTDIR
    yield* rules.access(node, mayRead)
    const { nodeid } = node
    const flags = openFlags.O_DIRECTORY
    const open = yield* unlessAbsent(kernel.call({ op: "opendir", nodeid, flags, openFlags: 0 }))
    const fh = open?.fh ?? 0
    if (open === undefined) return yield* body(fh)
    const closing = kernel.call({ op: "releasedir", nodeid, fh, flags, releaseFlags: 0, lockOwner: 0 })
    return yield* Effect.ensuring(body(fh), Effect.ignore(closing))
  })

/** Whether a name may be added to a place's directory. */
export const mayAdd = <F extends Fault>({ rules }: Ruled<F>, { directory }: Place): Answered<void, F> =>
  rules.access(directory, mayWrite | mayExecute)

/** The calls that look. */
const lookingCalls = <F extends Fault>(
  ruled: Ruled<F>
): Pick<PathCalls<F>, "stat" | "lstat" | "readFile" | "readdir" | "readlink"> => ({
  stat: (path) => walking(ruled, (walk) => Effect.flatMap(walk.find(path), (node) => attributes(ruled.kernel, node))),
  lstat: (path) =>
    walking(ruled, (walk) => Effect.flatMap(walk.find(path, false), (node) => attributes(ruled.kernel, node))),
  readFile: (path) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        if (isDirectory(node)) return yield* Errno.EISDIR
        const { kernel, rules } = ruled
        yield* rules.access(node, mayRead)
        return yield* usingFile(kernel, yield* openFile(kernel, node, openFlags.O_RDONLY), (file) =>
          readAll(kernel, file)
        )
      })
    ),
  readdir: (path) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        return yield* usingDirectory(ruled, node, (fh) => listNames(ruled.kernel, walk, node.nodeid, fh))
      })
    ),
  readlink: (path) =>
    walking(ruled, (walk) =>
      Effect.flatMap(walk.find(path, false), (node) => (isLink(node) ? walk.readlink(node) : Errno.EINVAL))
    )
})

/** What a WRITE asks for besides (FUSE_WRITE_*). */
export const killing = <F extends Fault>({ kernel, rules }: Ruled<F>): number => {
  const agreed = kernel.agreed()
  return rules.killsPrivileges && agreed !== undefined && hasFlag(agreed, "FUSE_HANDLE_KILLPRIV_V2")
    ? writeFlags.FUSE_WRITE_KILL_SUIDGID
    : 0
}

/** What a SETATTR of the size asks for besides (FATTR_*). */
export const truncationFlags = <F extends Fault>(ruled: Ruled<F>): number =>
  killing(ruled) === 0 ? 0 : setattrValid.FATTR_KILL_SUIDGID

/** A mode without what goes when the unprivileged write to a file (file_remove_privs of Linux). */
const withoutPrivileges = ({ gid, mode }: Attr, caller: Caller): number => {
  const { S_ISGID, S_ISUID, S_IXGRP } = statMode
  const keepsGroup = (mode & S_IXGRP) === 0 && isIn(caller, gid)
  return mode & ~(keepsGroup ? S_ISUID : S_ISUID | S_ISGID)
}

/**
 * Takes set-user-ID and set-group-ID from a file before this caller changes its content, as the kernel does for a backend that does not do so by
 * itself (FUSE_HANDLE_KILLPRIV, FUSE_HANDLE_KILLPRIV_V2).
 */
export const dropPrivileges = <F extends Fault>({ kernel, rules }: Ruled<F>, nodeid: U64): Answered<void, F> =>
  Effect.suspend((): Answered<void, F> => {
    const { caller, killsPrivileges } = rules
    const agreed = kernel.agreed()
    const byBackend =
      agreed !== undefined && (hasFlag(agreed, "FUSE_HANDLE_KILLPRIV") || hasFlag(agreed, "FUSE_HANDLE_KILLPRIV_V2"))
    if (caller === undefined || !killsPrivileges || byBackend) return Effect.void
    return Effect.flatMap(kernel.call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), ({ attr }) => {
      const mode = withoutPrivileges(attr, caller)
      return mode === attr.mode ? Effect.void : setattr(kernel, nodeid, setattrValid.FATTR_MODE, { mode })
    })
  })

/** Permissions that this caller may set: set-group-ID goes where it is not in the file's group (chmod(2)). */
export const permitted = <F extends Fault>({ rules }: Ruled<F>, attr: Attr | undefined, mode: number): number => {
  const { caller } = rules
  if (caller === undefined || attr === undefined || caller.uid === 0 || isIn(caller, attr.gid)) return mode
  return mode & ~statMode.S_ISGID
}

/** The calls that make, change and remove files. */
const fileCalls = <F extends Fault>(ruled: Ruled<F>): Pick<PathCalls<F>, "writeFile" | "truncate" | "chmod"> => ({
  writeFile: (path, data, mode = 0o644) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const place = yield* walk.locate(path, true)
        const { found } = place
        const { kernel, rules } = ruled
        if (found === undefined) yield* mayAdd(ruled, place)
        else if (isDirectory(found)) return yield* Errno.EISDIR
        else yield* rules.access(found, mayWrite)
        const file =
          found === undefined
            ? yield* createFile(kernel, walk, place, mode)
            : yield* openFile(kernel, found, openFlags.O_WRONLY)
        yield* usingFile(kernel, file, () =>
          Effect.gen(function* () {
            const { FATTR_FH, FATTR_SIZE } = setattrValid
            const { nodeid, open } = file
            if (found !== undefined) yield* dropPrivileges(ruled, nodeid)
            if (found !== undefined)
              yield* setattr(kernel, nodeid, open === undefined ? FATTR_SIZE : FATTR_SIZE | FATTR_FH, {
                fh: open?.fh ?? 0
              })
            yield* writeAll(kernel, file, typeof data === "string" ? Buffer.from(data) : data, 0, killing(ruled))
          })
        )
      })
    ),
  truncate: (path, size) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        if (isDirectory(node)) return yield* Errno.EISDIR
        yield* ruled.rules.access(node, mayWrite)
        yield* dropPrivileges(ruled, node.nodeid)
        yield* setattr(ruled.kernel, node.nodeid, setattrValid.FATTR_SIZE | truncationFlags(ruled), { size })
      })
    ),
  chmod: (path, mode) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const node = yield* walk.find(path)
        const attr = yield* ruled.rules.own(node)
        yield* setattr(ruled.kernel, node.nodeid, setattrValid.FATTR_MODE, {
          mode: (node.mode & statMode.S_IFMT) | permitted(ruled, attr, mode)
        })
      })
    )
})

const remove = <F extends Fault>(ruled: Ruled<F>, op: "unlink" | "rmdir", path: string): Answered<void, F> =>
  walking(ruled, (walk) =>
    Effect.gen(function* () {
      const { directory, found, name, parent } = yield* walk.locate(path, false)
      if (found === undefined) return yield* Errno.ENOENT
      if (found === root) return yield* Errno.EBUSY
      if (op === "unlink" && isDirectory(found)) return yield* Errno.EISDIR
      if (op === "rmdir" && !isDirectory(found)) return yield* Errno.ENOTDIR
      if (name === "." || name === "..") return yield* op === "rmdir" && name === "." ? Errno.EINVAL : Errno.ENOTEMPTY
      yield* ruled.rules.remove(directory, found)
      yield* ruled.kernel.call({ op, nodeid: parent, name })
    })
  )

/** Whether a node may be moved to a place, and what is there may go (rename(2)). */
const mayMove = <F extends Fault>(ruled: Ruled<F>, directory: Node, node: Node, to: Place): Answered<void, F> =>
  Effect.gen(function* () {
    const { rules } = ruled
    yield* rules.remove(directory, node)
    if (to.found === undefined) yield* mayAdd(ruled, to)
    else yield* rules.remove(to.directory, to.found)
    // Its `..` is written.
    if (isDirectory(node) && to.parent !== directory.nodeid) yield* rules.access(node, mayWrite)
  })

/** The calls that make, move and remove names. */
const nameCalls = <F extends Fault>(
  ruled: Ruled<F>
): Pick<PathCalls<F>, "mkdir" | "rmdir" | "unlink" | "rename" | "link" | "symlink"> => ({
  mkdir: (path, mode = 0o755) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const place = yield* walk.free(path)
        yield* mayAdd(ruled, place)
        const { kernel } = ruled
        const { name, parent } = place
        walk.hold(yield* kernel.call({ op: "mkdir", nodeid: parent, name, mode, umask: kernel.umask() }))
      })
    ),
  rmdir: (path) => remove(ruled, "rmdir", path),
  unlink: (path) => remove(ruled, "unlink", path),
  rename: (path, newPath, flags = 0) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const from = yield* walk.locate(path, false)
        const to = yield* walk.locate(newPath, false)
        if (from.found === undefined) return yield* Errno.ENOENT
        if (from.found === root || to.found === root) return yield* Errno.EBUSY
        yield* mayMove(ruled, from.directory, from.found, to)
        yield* ruled.kernel.call({
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
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const { nodeid } = yield* walk.find(path, false)
        const place = yield* walk.free(newPath)
        yield* mayAdd(ruled, place)
        const { name, parent } = place
        walk.hold(yield* ruled.kernel.call({ op: "link", nodeid: parent, oldnodeid: nodeid, newname: name }))
      })
    ),
  symlink: (target, path) =>
    walking(ruled, (walk) =>
      Effect.gen(function* () {
        const place = yield* walk.free(path)
        yield* mayAdd(ruled, place)
        const { name, parent } = place
        walk.hold(yield* ruled.kernel.call({ op: "symlink", nodeid: parent, name, target }))
      })
    )
})

/** The calls of a program on the server that `kernel` talks to; `rules`: who may do what, by default everything. */
export const pathCalls = <F extends Fault>(kernel: KernelSide<F>, rules: Rules<F> = noRules): PathCalls<F> => {
  const ruled: Ruled<F> = { kernel, rules }
  return { ...lookingCalls(ruled), ...fileCalls(ruled), ...nameCalls(ruled) }
}
