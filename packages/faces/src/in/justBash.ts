/** Mounts a filesystem of just-bash, so that real programs work on what its shell works on. */
import type { Backend } from "@bickford/session"
import type { FsLike, FsStats } from "./fs/FsLike.ts"
import { fromFs, type FromFsOptions } from "./fs/fromFs.ts"
import { codeOf } from "./fs/maybe.ts"

/** As `FsStat` of just-bash. */
export interface BashStat {
  readonly isFile: boolean
  readonly isDirectory: boolean
  readonly isSymbolicLink: boolean
  readonly mode: number
  readonly size: number
  readonly mtime: Date
  readonly ino?: number | bigint
}

/** As much of just-bash's `IFileSystem` as a mount needs. */
export interface BashFileSystem {
  /** As `IFileSystem` has it. */
  readFileBuffer(path: string): Promise<Uint8Array>
  /** As `IFileSystem` has it. */
  writeFile(path: string, content: Uint8Array): Promise<void>
  /** As `IFileSystem` has it. */
  stat(path: string): Promise<BashStat>
  /** As `IFileSystem` has it. */
  lstat(path: string): Promise<BashStat>
  /** As `IFileSystem` has it. */
  readdir(path: string): Promise<Array<string>>
  /** As `IFileSystem` has it. */
  mkdir(path: string): Promise<void>
  /** As `IFileSystem` has it. */
  rm(path: string): Promise<void>
  /** As `IFileSystem` has it. */
  mv(path: string, newPath: string): Promise<void>
  /** As `IFileSystem` has it. */
  chmod(path: string, mode: number): Promise<void>
  /** As `IFileSystem` has it. */
  symlink(target: string, path: string): Promise<void>
  /** As `IFileSystem` has it. */
  readlink(path: string): Promise<string>
  /** As `IFileSystem` has it. */
  utimes(path: string, atime: Date, mtime: Date): Promise<void>
}

/** Its errors are told apart by how their message begins. */
const coded = (error: unknown): unknown => {
  if (!(error instanceof Error) || codeOf(error) !== undefined) return error
  const [, code] = /^(E[A-Z0-9]+)\b/.exec(error.message) ?? []
  return code === undefined ? error : Object.assign(error, { code })
}

/** Calls a method, which may also throw, or answer at once. */
const call = async <A>(method: () => Promise<A>): Promise<A> => {
  try {
    return await method()
  } catch (error) {
    throw coded(error)
  }
}

const statsOf = ({ ino, isDirectory, isSymbolicLink, mode, mtime, size }: BashStat): FsStats => ({
  mode,
  size,
  ...(ino !== undefined && { ino }),
  atimeMs: mtime.getTime(),
  mtimeMs: mtime.getTime(),
  ctimeMs: mtime.getTime(),
  isDirectory: () => isDirectory,
  isSymbolicLink: () => isSymbolicLink
})

const dateOf = (time: number | Date): Date => (time instanceof Date ? time : new Date(time * 1000))
const permissions = 0o7777

/** The directories at `path` and below it, the lowest first, by what follows `path`. */
const directoriesIn = async (
  fs: BashFileSystem,
  path: string,
  below = ""
): Promise<ReadonlyArray<readonly [string, BashStat]>> => {
  const stat = await call(() => fs.lstat(path + below))
  if (!stat.isDirectory) return []
  const found: Array<readonly [string, BashStat]> = []
  for (const name of await call(() => fs.readdir(path + below)))
    found.push(...(await directoriesIn(fs, path, `${below}/${name}`)))
  return [...found, [below, stat]]
}

/** In the shape of `node:fs/promises`. A file that is written anew keeps its permissions. */
const fsOf = (fs: BashFileSystem): FsLike => ({
  stat: async (path) => statsOf(await call(() => fs.stat(path))),
  lstat: async (path) => statsOf(await call(() => fs.lstat(path))),
  readdir: (path) => call(() => fs.readdir(path)),
  readFile: (path) => call(() => fs.readFileBuffer(path)),
  writeFile: async (path, data, options) => {
    const before = options?.mode === undefined ? (await call(() => fs.stat(path))).mode & permissions : options.mode
    await call(() => fs.writeFile(path, data))
    const { mode } = await call(() => fs.stat(path))
    if ((mode & permissions) !== before) await call(() => fs.chmod(path, before))
  },
  mkdir: async (path, options) => {
    await call(() => fs.mkdir(path))
    const mode = options?.mode
    if (mode !== undefined) await call(() => fs.chmod(path, mode))
  },
  rmdir: (path) => call(() => fs.rm(path)),
  unlink: (path) => call(() => fs.rm(path)),
  rename: async (path, newPath) => {
    // What is there already would be merged with, or moved into.
    const there = await call(() => fs.lstat(newPath)).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined
      throw error
    })
    if (there !== undefined) await call(() => fs.rm(newPath))
    const directories = await directoriesIn(fs, path)
    await call(() => fs.mv(path, newPath))
    // Moved directories are made anew.
    for (const [below, { mode, mtime }] of directories) {
      await call(() => fs.chmod(newPath + below, mode & permissions))
      await call(() => fs.utimes(newPath + below, mtime, mtime))
    }
  },
  symlink: (target, path) => call(() => fs.symlink(target, path)),
  readlink: (path) => call(() => fs.readlink(path)),
  chmod: (path, mode) => call(() => fs.chmod(path, mode)),
  utimes: (path, atime, mtime) => call(() => fs.utimes(path, dateOf(atime), dateOf(mtime)))
})

/**
 * Serves a filesystem of just-bash (`IFileSystem`). It has whole files: one that is open is kept in memory, shared by all who
 * have it open, and written back when it is closed or synced. Owners are kept for the life of the mount, and hard links are
 * refused with EPERM, since just-bash copies.
 */
export const fromJustBash = (fs: BashFileSystem, options: FromFsOptions = {}): Backend => fromFs(fsOf(fs), options)
