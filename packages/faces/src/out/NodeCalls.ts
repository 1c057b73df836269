/** The calls of `node:fs`, as Effects: what its promises, a provider's methods and Effect's service are made of. */
import type { Local } from "@bickford/session"
import { Errno, type ErrnoError, errnoErrorNamed } from "@bickford/session"
import { openFlags } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { copyExclusively, modeOf, type PathLike, pathOf, type TimeLike, timeOf } from "./arguments.ts"
import { NodeError } from "./NodeError.ts"
import { removing } from "./removing.ts"
import { FaceDirent, type FaceStatfs, statfsOf } from "./stats.ts"
import type { Attr } from "@bickford/protocol"

/** A call's outcome. */
export type Called<A> = Effect.Effect<A, NodeError>

/** An open file, its position in the hands of those who use it. */
export type Handle = Local.OpenHandle

/** The calls by path. Symbolic links are followed but by those of a name with `l`, and by what works on names. */
export interface NodeCalls {
  readonly stat: (path: PathLike) => Called<Attr>
  readonly lstat: (path: PathLike) => Called<Attr>
  readonly access: (path: PathLike, mask?: number) => Called<void>
  readonly realpath: (path: PathLike) => Called<string>
  readonly readdir: (path: PathLike) => Called<ReadonlyArray<FaceDirent>>
  /** As `readdir`, and of all directories below. */
  readonly readdirDeep: (path: PathLike) => Called<ReadonlyArray<FaceDirent>>
  readonly readFile: (path: PathLike, flags: number) => Called<Buffer>
  readonly writeFile: (path: PathLike, data: Uint8Array, flags: number, mode: number) => Called<void>
  readonly open: (path: PathLike, flags: number, mode: number) => Called<Handle>
  readonly mkdir: (path: PathLike, mode: number) => Called<void>
  /** Makes what is missing above too: the first directory that was made, if any. */
  readonly mkdirs: (path: PathLike, mode: number) => Called<string | undefined>
  readonly rmdir: (path: PathLike) => Called<void>
  readonly unlink: (path: PathLike) => Called<void>
  readonly rm: (path: PathLike, how: { readonly recursive?: boolean; readonly force?: boolean }) => Called<void>
  readonly rename: (path: PathLike, newPath: PathLike) => Called<void>
  readonly link: (path: PathLike, newPath: PathLike) => Called<void>
  readonly symlink: (target: PathLike, path: PathLike) => Called<void>
  readonly readlink: (path: PathLike) => Called<Buffer>
  readonly copyFile: (from: PathLike, to: PathLike, mode?: number) => Called<void>
  readonly truncate: (path: PathLike, size: number) => Called<void>
  readonly chmod: (path: PathLike, mode: number | string) => Called<void>
  readonly chown: (path: PathLike, uid: number, gid: number, follow?: boolean) => Called<void>
  readonly utimes: (path: PathLike, atime: TimeLike, mtime: TimeLike, follow?: boolean) => Called<void>
  readonly statfs: (path: PathLike) => Called<FaceStatfs>
}

const { O_CREAT, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY } = openFlags
const permissions = 0o7777
/** Bytes that are copied at a time. */
const copySize = 1 << 20

/** The absolute path; an empty one is nothing (ENOENT). */
const absolute = (path: string): Effect.Effect<string, ErrnoError> =>
  path === "" ? Errno.ENOENT : Effect.succeed(path.startsWith("/") ? path : `/${path}`)

/** Runs a call on one path; its errors name the call and the path. */
const onPath = <A>(syscall: string, path: PathLike, body: (path: string) => Effect.Effect<A, ErrnoError>): Called<A> =>
  Effect.suspend(() => {
    const text = pathOf(path)
    return Effect.mapError(Effect.flatMap(absolute(text), body), (error) => new NodeError(error, syscall, text))
  })

const onPaths = <A>(
  syscall: string,
  from: PathLike,
  to: PathLike,
  body: (from: string, to: string) => Effect.Effect<A, ErrnoError>
): Called<A> =>
  Effect.suspend(() => {
    const [path, dest] = [pathOf(from), pathOf(to)]
    const both = Effect.flatMap(absolute(path), (first) =>
      Effect.flatMap(absolute(dest), (second) => body(first, second))
    )
    return Effect.mapError(both, (error) => new NodeError(error, syscall, path, dest))
  })

const joined = (directory: string, name: string): string =>
  directory.endsWith("/") ? directory + name : `${directory}/${name}`

/** Uses an open file, and closes it; what closing fails with counts where nothing else has failed. */
const using = <A>(handle: Handle, body: Effect.Effect<A, ErrnoError>): Effect.Effect<A, ErrnoError> =>
  Effect.matchEffect(body, {
    onFailure: (error) => Effect.andThen(Effect.ignore(handle.close), Effect.fail(error)),
    onSuccess: (value) => Effect.as(handle.close, value)
  })

/** Reads an open file to its end, from `position` on. */
export const readRest = (handle: Handle, position: number): Effect.Effect<Buffer, ErrnoError> =>
  Effect.gen(function* () {
    const parts: Array<Uint8Array> = []
    for (let at = position; ;) {
      const part = yield* handle.read(at, copySize)
      if (part.length === 0) return Buffer.concat(parts)
      parts.push(part)
      at += part.length
    }
  })

/** Looks, and lists. */
const lookingCalls = (
  calls: Local.LocalCalls
): Pick<NodeCalls, "stat" | "lstat" | "access" | "realpath" | "readdir" | "readdirDeep" | "readlink" | "statfs"> => {
  const entries = (path: string, shown: string) =>
    Effect.map(calls.entries(path), (listed) =>
      listed.map(({ name, type }) => new FaceDirent(Buffer.from(name).toString(), shown, type))
    )
  const deep = (path: string, shown: string): Effect.Effect<ReadonlyArray<FaceDirent>, ErrnoError> =>
    Effect.gen(function* () {
      const found = yield* entries(path, shown)
      const all: Array<FaceDirent> = [...found]
      for (const one of found) {
        if (one.isDirectory()) all.push(...(yield* deep(joined(path, one.name), joined(shown, one.name))))
      }
      return all
    })
  return {
    stat: (path) => onPath("stat", path, calls.stat),
    lstat: (path) => onPath("lstat", path, calls.lstat),
    access: (path, mask) => onPath("access", path, (at) => calls.access(at, mask)),
    realpath: (path) => onPath("realpath", path, calls.realpath),
    readdir: (path) => onPath("scandir", path, (at) => entries(at, pathOf(path))),
    readdirDeep: (path) => onPath("scandir", path, (at) => deep(at, pathOf(path))),
    readlink: (path) => onPath("readlink", path, (at) => Effect.map(calls.readlink(at), (name) => Buffer.from(name))),
    statfs: (path) => onPath("statfs", path, (at) => Effect.map(calls.statfs(at), statfsOf))
  }
}

/** Files: opened, read, written, copied. */
const fileCalls = (
  calls: Local.LocalCalls
): Pick<NodeCalls, "open" | "readFile" | "writeFile" | "copyFile" | "truncate"> => ({
  open: (path, flags, mode) => onPath("open", path, (at) => calls.open(at, flags, mode & permissions)),
  readFile: (path, flags) =>
    Effect.mapError(
      onPath("open", path, (at) =>
        flags === O_RDONLY
          ? calls.readFile(at)
          : Effect.flatMap(calls.open(at, flags), (handle) => using(handle, readRest(handle, 0)))
      ),
      // Opening a directory is nothing wrong; reading it is.
      (error) =>
        error.code === "EISDIR" && flags === O_RDONLY ? new NodeError(errnoErrorNamed("EISDIR"), "read") : error
    ),
  writeFile: (path, data, flags, mode) =>
    onPath("open", path, (at) =>
      Effect.flatMap(calls.open(at, flags, mode & permissions), (handle) => using(handle, handle.write(0, data)))
    ),
  copyFile: (from, to, mode = 0) =>
    onPaths("copyfile", from, to, (source, target) =>
      Effect.gen(function* () {
        const read = yield* calls.open(source, O_RDONLY)
        const copy = Effect.gen(function* () {
          const attr = yield* read.stat
          const exclusive = (mode & copyExclusively) === 0 ? 0 : O_EXCL
          const write = yield* calls.open(target, O_WRONLY | O_CREAT | O_TRUNC | exclusive, attr.mode & permissions)
          const pieces = Effect.gen(function* () {
            for (let at = 0; ;) {
              const part = yield* read.read(at, copySize)
              if (part.length === 0) return
              yield* write.write(at, part)
              at += part.length
            }
          })
          yield* using(write, pieces)
        })
        yield* using(read, copy)
      })
    ),
  truncate: (path, size) => onPath("open", path, (at) => calls.truncate(at, size))
})

/** Names: made, moved, removed. */
const nameCalls = (
  calls: Local.LocalCalls
): Pick<NodeCalls, "mkdir" | "mkdirs" | "rmdir" | "unlink" | "rm" | "rename" | "link" | "symlink"> => {
  /** The first directory that had to be made. */
  const makeAll = (path: string, mode: number): Effect.Effect<string | undefined, ErrnoError> =>
    Effect.catchTags(Effect.as(calls.mkdir(path, mode), path), {
      ENOENT: () => {
        const above = path.replace(/\/+[^/]*\/*$/, "")
        if (above === "" || above === path) return Errno.ENOENT
        return Effect.flatMap(makeAll(above, mode), (first) => Effect.map(makeAll(path, mode), (own) => first ?? own))
      },
      EEXIST: () =>
        Effect.flatMap(calls.stat(path), ({ mode: found }): Effect.Effect<undefined, ErrnoError> =>
          (found & 0o170000) === 0o040000 ? Effect.succeed(undefined) : Errno.EEXIST
        )
    })
  return {
    mkdir: (path, mode) => onPath("mkdir", path, (at) => calls.mkdir(at, mode & permissions)),
    mkdirs: (path, mode) => onPath("mkdir", path, (at) => makeAll(at, mode & permissions)),
    rmdir: (path) => onPath("rmdir", path, calls.rmdir),
    unlink: (path) => onPath("unlink", path, calls.unlink),
    rm: (path, how) => onPath("rm", path, (at) => removing(calls, at, how)),
    rename: (path, newPath) => onPaths("rename", path, newPath, (at, to) => calls.rename(at, to)),
    link: (path, newPath) => onPaths("link", path, newPath, calls.link),
    symlink: (target, path) =>
      Effect.suspend(() => {
        const text = pathOf(target)
        const place = pathOf(path)
        const made = Effect.flatMap(absolute(place), (at) => calls.symlink(text, at))
        return Effect.mapError(made, (error) => new NodeError(error, "symlink", text, place))
      })
  }
}

/** Attributes: permissions, owners, times. */
const attributeCalls = (calls: Local.LocalCalls): Pick<NodeCalls, "chmod" | "chown" | "utimes"> => ({
  chmod: (path, mode) => onPath("chmod", path, (at) => calls.chmod(at, modeOf(mode) & permissions)),
  chown: (path, uid, gid, follow = true) =>
    onPath(follow ? "chown" : "lchown", path, (at) => calls.chown(at, uid, gid, follow)),
  utimes: (path, atime, mtime, follow = true) =>
    onPath(follow ? "utime" : "lutime", path, (at) => calls.utimes(at, timeOf(atime), timeOf(mtime), follow))
})

/** The calls of `node:fs` on a filesystem. */
export const nodeCalls = (calls: Local.LocalCalls): NodeCalls => ({
  ...lookingCalls(calls),
  ...fileCalls(calls),
  ...nameCalls(calls),
  ...attributeCalls(calls)
})
