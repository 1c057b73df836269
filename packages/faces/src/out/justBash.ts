/** A filesystem as just-bash's shell uses it. */
import { openFlags } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { posix } from "node:path"
import { bytesOf } from "./arguments.ts"
import { copyTree } from "./copyTree.ts"
import { type Called, nodeCalls } from "./NodeCalls.ts"
import { now } from "./now.ts"
import type { Shared } from "./share.ts"
import { type FaceDirent, FaceStats } from "./stats.ts"
import type { Attr } from "@bickford/protocol"

const { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } = openFlags
const fileMode = 0o666
const directoryMode = 0o777

/** As `FsStat` of just-bash. */
export interface FaceBashStat {
  readonly isFile: boolean
  readonly isDirectory: boolean
  readonly isSymbolicLink: boolean
  readonly mode: number
  readonly size: number
  readonly mtime: Date
  readonly ino: number
}

type Encoding = BufferEncoding | { readonly encoding?: BufferEncoding | null }

const encodingIn = (options: Encoding | undefined): BufferEncoding =>
  (typeof options === "string" ? options : options?.encoding) ?? "utf8"

const statOf = (attr: Attr): FaceBashStat => {
  const stats = new FaceStats(attr)
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymbolicLink: stats.isSymbolicLink(),
    mode: stats.mode,
    size: stats.size,
    mtime: stats.mtime,
    ino: stats.ino
  }
}

const entryOf = (entry: FaceDirent) => ({
  name: entry.name,
  isFile: entry.isFile(),
  isDirectory: entry.isDirectory(),
  isSymbolicLink: entry.isSymbolicLink()
})

/**
 * The filesystem as `IFileSystem` of just-bash: `new Bash({ fs: toJustBash(shared) })`. `getAllPaths` lists nothing where the
 * filesystem cannot answer at once.
 */
export const toJustBash = (shared: Shared) => {
  const calls = nodeCalls(shared.calls)
  const run = <A>(call: Called<A>): Promise<A> => Effect.runPromise(call)
  const read = (path: string): Promise<Buffer> => run(calls.readFile(path, O_RDONLY))
  const write = (path: string, content: string | Uint8Array, options: Encoding | undefined, flag: number) =>
    run(calls.writeFile(path, bytesOf(content, encodingIn(options)), O_WRONLY | O_CREAT | flag, fileMode))
  return {
    /** As `IFileSystem` has it. */
    readFile: async (path: string, options?: Encoding): Promise<string> =>
      (await read(path)).toString(encodingIn(options)),
    /** As `IFileSystem` has it. */
    readFileBuffer: (path: string): Promise<Uint8Array> => read(path),
    /** As `IFileSystem` has it. */
    writeFile: (path: string, content: string | Uint8Array, options?: Encoding): Promise<void> =>
      write(path, content, options, O_TRUNC),
    /** As `IFileSystem` has it. */
    appendFile: (path: string, content: string | Uint8Array, options?: Encoding): Promise<void> =>
      write(path, content, options, O_APPEND),
    /** As `IFileSystem` has it. */
    exists: (path: string): Promise<boolean> =>
      run(calls.access(path)).then(
        () => true,
        () => false
      ),
    /** As `IFileSystem` has it. */
    stat: (path: string): Promise<FaceBashStat> => run(calls.stat(path)).then(statOf),
    /** As `IFileSystem` has it. */
    lstat: (path: string): Promise<FaceBashStat> => run(calls.lstat(path)).then(statOf),
    /** As `IFileSystem` has it. */
    mkdir: async (path: string, options?: { readonly recursive?: boolean }): Promise<void> => {
      if (options?.recursive === true) await run(calls.mkdirs(path, directoryMode))
      else await run(calls.mkdir(path, directoryMode))
    },
    // Shells sort them, and just-bash expects it.
    /** As `IFileSystem` has it. */
    readdir: async (path: string): Promise<Array<string>> =>
      (await run(calls.readdir(path))).map(({ name }) => name).toSorted(),
    /** As `IFileSystem` has it. */
    readdirWithFileTypes: async (path: string) =>
      (await run(calls.readdir(path))).map(entryOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    /** As `IFileSystem` has it. */
    rm: async (path: string, options?: { readonly recursive?: boolean; readonly force?: boolean }): Promise<void> => {
      // An empty directory goes without `recursive`, as in just-bash's own.
      const removed = calls.rm(path, options ?? {})
      await run(Effect.catch(removed, (error) => (error.code === "EISDIR" ? calls.rmdir(path) : Effect.fail(error))))
    },
    /** As `IFileSystem` has it. */
    cp: (from: string, to: string, options?: { readonly recursive?: boolean }): Promise<void> =>
      run(
        Effect.flatMap(calls.stat(from), (attr) =>
          new FaceStats(attr).isDirectory() && options?.recursive !== true
            ? Effect.andThen(calls.readFile(from, O_RDONLY), Effect.void)
            : copyTree(calls, from, to, { overwrite: true })
        )
      ),
    /** As `IFileSystem` has it. */
    mv: (from: string, to: string): Promise<void> => run(calls.rename(from, to)),
    /** As `IFileSystem` has it. */
    resolvePath: (base: string, path: string): string => posix.resolve("/", base, path),
    /** As `IFileSystem` has it. */
    getAllPaths: (): Array<string> => {
      try {
        const below = now(shared, calls.readdirDeep("/"))
        return ["/", ...below.map(({ name, parentPath }) => posix.join(parentPath, name))]
      } catch {
        return []
      }
    },
    /** As `IFileSystem` has it. */
    chmod: (path: string, mode: number): Promise<void> => run(calls.chmod(path, mode)),
    /** As `IFileSystem` has it. */
    symlink: (target: string, path: string): Promise<void> => run(calls.symlink(target, path)),
    /** As `IFileSystem` has it. */
    link: (path: string, newPath: string): Promise<void> => run(calls.link(path, newPath)),
    /** As `IFileSystem` has it. */
    readlink: (path: string): Promise<string> => run(calls.readlink(path)).then((target) => target.toString()),
    /** As `IFileSystem` has it. */
    realpath: (path: string): Promise<string> => run(calls.realpath(path)),
    /** As `IFileSystem` has it. */
    utimes: (path: string, atime: Date, mtime: Date): Promise<void> => run(calls.utimes(path, atime, mtime))
  }
}
