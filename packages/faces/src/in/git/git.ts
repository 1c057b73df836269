/** `git`: the files of a commit, from the repository's objects. */
import { fileType, type PathAttributes, PathFilesystem } from "@bickford/backends"
import { type Backend, Errno, type ErrnoError } from "@bickford/session"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { loaded } from "../archive/errors.ts"
import { Recent } from "./Recent.ts"

/** A commit cannot be served. */
export class GitError extends Data.TaggedError("GitError")<{
  /** Names the repository, and says what is wrong. */
  readonly message: string
}> {}

/** Which commit is mounted. */
export interface GitOptions {
  /** A branch, a tag, or a commit's number, whole or its beginning. Default: HEAD. */
  readonly revision?: string
}

type Git = typeof import("isomorphic-git")

/** A name in a tree. */
interface TreeEntry {
  readonly mode: string
  readonly oid: string
  readonly type: "blob" | "tree" | "commit"
}
type Tree = ReadonlyMap<string, TreeEntry>

const mostTrees = 20_000
const mostBlobBytes = 64 << 20
const mostSizes = 1_000_000
const accessMode = 3

/** What git stores of a mode. */
const modes: { readonly [mode: string]: number } = {
  "040000": fileType.dir | 0o755,
  "40000": fileType.dir | 0o755,
  "100644": fileType.reg | 0o644,
  "100664": fileType.reg | 0o664,
  "100755": fileType.reg | 0o755,
  "120000": fileType.lnk | 0o777,
  // A submodule: an empty directory, as after a clone.
  "160000": fileType.dir | 0o755
}

/** Objects of a repository, those that were used lately in memory. */
const objectsOf = (git: Git, gitdir: string) => {
  const trees = new Recent<Tree>(mostTrees)
  const blobs = new Recent<Uint8Array>(mostBlobBytes)
  const sizes = new Recent<number>(mostSizes)
  // isomorphic-git keeps the indexes of packs in it.
  const cache = {}
  const blob = (oid: string): Promise<Uint8Array> =>
    blobs.get(
      oid,
      async () => (await git.readBlob({ fs, gitdir, oid, cache })).blob,
      (bytes) => bytes.length
    )
  return {
    cache,
    blob,
    tree: (oid: string): Promise<Tree> =>
      trees.get(
        oid,
        async () => {
          const { tree } = await git.readTree({ fs, gitdir, oid, cache })
          return new Map(tree.map(({ mode, oid: of, path, type }) => [path, { mode, oid: of, type }]))
        },
        (tree) => tree.size
      ),
    /** A tree has no sizes: the object is looked into. */
    size: (oid: string): Promise<number> =>
      sizes.get(
        oid,
        async () => (await blob(oid)).length,
        () => 1
      )
  }
}

/** Where a repository's objects lie: in `.git`, behind a `.git` that is a file, or in the directory itself. */
const gitdirOf = async (path: string): Promise<string> => {
  const inside = join(path, ".git")
  const found = await stat(inside).catch(() => undefined)
  if (found?.isDirectory() === true) return inside
  if (found?.isFile() === true) {
    const [, target] = /^gitdir: (.+)$/m.exec(await fs.promises.readFile(inside, "utf8")) ?? []
    if (target !== undefined) return resolve(path, target)
  }
  return path
}

const commitOf = async (git: Git, gitdir: string, revision: string, cache: object) => {
  const oid = await git
    .resolveRef({ fs, gitdir, ref: revision })
    .catch(() => git.expandOid({ fs, gitdir, oid: revision, cache }))
    .catch(() => {
      throw new Error(`has no commit ${revision}`)
    })
  return git.readCommit({ fs, gitdir, oid, cache })
}

const emptyTree: Tree = new Map()

/** A commit's tree as callbacks. */
const serve = (objects: ReturnType<typeof objectsOf>, root: string, seconds: number, name: string): Backend => {
  const at = async (path: string): Promise<TreeEntry | undefined> => {
    let entry: TreeEntry = { mode: "040000", oid: root, type: "tree" }
    for (const part of path.split("/")) {
      if (part === "") continue
      const below = entry.type === "tree" ? (await objects.tree(entry.oid)).get(part) : undefined
      if (below === undefined) return undefined
      entry = below
    }
    return entry
  }
  const found = async (path: string): Promise<TreeEntry> => {
    const entry = await at(path)
    if (entry === undefined) throw Errno.ENOENT
    return entry
  }
  /** An object that cannot be read is EIO, and the log names the file. */
  const reading = <A>(path: string, body: () => Promise<A>) =>
    Effect.catch(
      Effect.tryPromise({ try: body, catch: (error) => error }),
      (error): Effect.Effect<never, ErrnoError> => {
        if (error === Errno.ENOENT) return Errno.ENOENT
        const reason = error instanceof Error ? error.message : String(error)
        return Effect.andThen(Effect.logError(`${name}: ${path} cannot be read: ${reason}`), Errno.EIO)
      }
    )
  return PathFilesystem.make<Uint8Array>(
    {
      getattr: (path) =>
        reading(path, async (): Promise<PathAttributes | false> => {
          const entry = await at(path)
          if (entry === undefined) return false
          const mode = modes[entry.mode] ?? fileType.reg | 0o644
          const size = entry.type === "blob" ? await objects.size(entry.oid) : 0
          return { mode, size, mtime: seconds, atime: seconds, ctime: seconds }
        }),
      readdir: (path) =>
        reading(path, async () => {
          const { oid, type } = await found(path)
          return (type === "tree" ? await objects.tree(oid) : emptyTree).keys()
        }),
      readlink: (path) =>
        reading(path, async () => Buffer.from(await objects.blob((await found(path)).oid)).toString()),
      open: (path, flags) =>
        (flags & accessMode) === 0 ? reading(path, async () => objects.blob((await found(path)).oid)) : Errno.EROFS,
      read: (bytes, size, offset) => bytes.subarray(Number(offset), Number(offset) + size)
    },
    // A commit does not change.
    { entryTimeout: 86_400, attrTimeout: 86_400 }
  )
}

/**
 * Serves the files of a commit, read-only, with the commit's time: `path` is a repository or its working tree. What is committed later is
 * not seen. Submodules are empty directories. Needs the package `isomorphic-git`.
 */
export const git = (path: string, { revision = "HEAD" }: GitOptions = {}): Effect.Effect<Backend, GitError> =>
  Effect.tryPromise({
    try: async () => {
      const library = await loaded("isomorphic-git", () => import("isomorphic-git"))
      const gitdir = await gitdirOf(path)
      const objects = objectsOf(library, gitdir)
      const { commit } = await commitOf(library, gitdir, revision, objects.cache)
      return serve(objects, commit.tree, commit.committer.timestamp, `git:${path}`)
    },
    catch: (error) => new GitError({ message: `${path}: ${error instanceof Error ? error.message : String(error)}` })
  })
