/** Mounts an Effect `FileSystem` service. */
import { openFlags } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError, SystemErrorTag } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { fileType } from "@bickford/backends"
import type { FsHandle, FsLike, FsStats, Maybe } from "./fs/FsLike.ts"
import { fromFs, type FromFsOptions } from "./fs/fromFs.ts"
import { codeOf } from "./fs/maybe.ts"

const { O_ACCMODE, O_CREAT, O_EXCL, O_RDONLY } = openFlags

/** What the service's own words are in errnos, where no system's error stands behind them. */
const codes: { readonly [Tag in SystemErrorTag]: string } = {
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  Busy: "EBUSY",
  InvalidData: "EINVAL",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  UnexpectedEof: "EIO",
  Unknown: "EIO",
  WouldBlock: "EAGAIN",
  WriteZero: "EIO"
}

const failure = (error: PlatformError): Error => {
  const { reason } = error
  const code = codeOf(error.cause) ?? (reason._tag === "BadArgument" ? "EINVAL" : codes[reason._tag])
  return Object.assign(new Error(error.message), { code })
}

/** An answer that is there already is given at once. */
const run = <A>(effect: Effect.Effect<A, PlatformError>): Maybe<A> => {
  const coded = Effect.mapError(effect, failure)
  if (Exit.isExit(effect) && Exit.isSuccess(effect)) return effect.value as A
  return Effect.runPromise(coded)
}

const types: { readonly [Type in FileSystem.File.Type]: number } = {
  File: fileType.reg,
  Directory: fileType.dir,
  SymbolicLink: fileType.lnk,
  BlockDevice: fileType.blk,
  CharacterDevice: fileType.chr,
  FIFO: fileType.fifo,
  Socket: fileType.sock,
  Unknown: fileType.reg
}

const permissions = 0o7777

const statsOf = (info: FileSystem.File.Info): FsStats => {
  const known = <A, B>(value: Option.Option<A>, change: (value: A) => B): B | undefined =>
    Option.isSome(value) ? change(value.value) : undefined
  const milliseconds = (time: Date): number => time.getTime()
  const atimeMs = known(info.atime, milliseconds)
  const mtimeMs = known(info.mtime, milliseconds)
  const ino = known(info.ino, (value) => value)
  const nlink = known(info.nlink, (value) => value)
  const uid = known(info.uid, (value) => value)
  const gid = known(info.gid, (value) => value)
  const blocks = known(info.blocks, (value) => value)
  return {
    mode: types[info.type] | (info.mode & permissions),
    size: BigInt(info.size),
    ...(atimeMs !== undefined && { atimeMs }),
    ...(mtimeMs !== undefined && { mtimeMs }),
    ...(ino !== undefined && { ino }),
    ...(nlink !== undefined && { nlink }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(blocks !== undefined && { blocks }),
    isDirectory: () => info.type === "Directory",
    isSymbolicLink: () => info.type === "SymbolicLink"
  }
}

/** A handle out of a file that is open in a scope. Its place is one for all, so writes go one after the other. */
const handleOf = (file: FileSystem.File, scope: Scope.Closeable): FsHandle => {
  const oneAtATime = Semaphore.makeUnsafe(1).withPermits(1)
  return {
    read: async (buffer, offset, length, position) => ({
      bytesRead: await run(file.read(buffer.subarray(offset, offset + length), { position: BigInt(position) }))
    }),
    write: async (buffer, offset, length, position) => ({
      bytesWritten: await run(
        oneAtATime(
          Effect.andThen(file.seek(BigInt(position), "start"), file.write(buffer.subarray(offset, offset + length)))
        )
      )
    }),
    stat: async () => statsOf(await run(file.stat)),
    truncate: (length) => run(file.truncate(length)),
    sync: () => run(file.sync),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const flagOf = (flags: number): FileSystem.OpenFlag => {
  if ((flags & O_CREAT) !== 0) return (flags & O_EXCL) !== 0 ? "wx+" : "w+"
  return (flags & O_ACCMODE) === O_RDONLY ? "r" : "r+"
}

/** In the shape of `node:fs/promises`. */
const fsOf = (fs: FileSystem.FileSystem): FsLike => ({
  stat: async (path) => statsOf(await run(fs.stat(path))),
  lstat: async (path) => statsOf(await run(fs.lstat(path))),
  readdir: (path) => run(fs.readDirectory(path)),
  readFile: (path) => run(fs.readFile(path)),
  writeFile: (path, data, options) => run(fs.writeFile(path, data, options)),
  open: async (path, flags, mode) => {
    const scope = Scope.makeUnsafe()
    const opened = fs.open(path, { flag: flagOf(flags), ...(mode !== undefined && { mode }) })
    try {
      return handleOf(await run(Scope.provide(opened, scope)), scope)
    } catch (error) {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      throw error
    }
  },
  mkdir: (path, options) => run(fs.makeDirectory(path, options)),
  rmdir: async (path) => {
    // Without `recursive` a directory is none that it removes.
    if ((await run(fs.readDirectory(path))).length > 0) throw Errno.ENOTEMPTY
    await run(fs.remove(path, { recursive: true }))
  },
  unlink: (path) => run(fs.remove(path, { recursive: false })),
  rename: (path, newPath) => run(fs.rename(path, newPath)),
  link: (path, newPath) => run(fs.link(path, newPath)),
  symlink: (target, path) => run(fs.symlink(target, path)),
  readlink: (path) => run(fs.readLink(path)),
  chmod: (path, mode) => run(fs.chmod(path, mode)),
  chown: (path, uid, gid) => run(fs.chown(path, uid, gid)),
  utimes: (path, atime, mtime) => run(fs.utimes(path, atime, mtime)),
  truncate: (path, length) => run(fs.truncate(path, length))
})

/**
 * Serves an Effect `FileSystem` service. Its errors are errnos again: those of the system behind it, or else by their tag
 * (`NotFound` is ENOENT).
 */
export const fromEffect = (fs: FileSystem.FileSystem, options: FromFsOptions = {}): Backend => fromFs(fsOf(fs), options)
