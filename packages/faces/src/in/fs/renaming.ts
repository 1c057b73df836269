/** Renaming as rename(2) has it, where the filesystem does less. */
import { Errno } from "@bickford/session"
import { promises } from "node:fs"
import type { FsLike, FsStats, Maybe } from "./FsLike.ts"
import { chain, codeOf, recover } from "./maybe.ts"

/** Whether these are the machine's own files, of which the kernel takes care. */
export const isNodes = (fs: FsLike): boolean => fs.rename === promises.rename

const unlessMissing = (call: () => Maybe<FsStats>): Maybe<FsStats | undefined> =>
  recover(call, (error) => {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  })

/**
 * How to rename in `fs`; undefined where it cannot. Filesystems in memory replace directories that are not empty, and some
 * (memfs) rename what a symbolic link leads to: the first is refused here, and a link is made anew under its new name.
 */
export const renameOf = (fs: FsLike): ((path: string, newPath: string) => Maybe<void>) | undefined => {
  const { readlink, rename, symlink, unlink } = fs
  if (rename === undefined) return undefined
  const plain = (path: string, newPath: string): Maybe<void> => chain(rename.call(fs, path, newPath), () => undefined)
  if (isNodes(fs)) return plain
  const lstat = (path: string): Maybe<FsStats> => (fs.lstat ?? fs.stat).call(fs, path)

  const renameLink = (path: string, newPath: string, replaced: FsStats | undefined): Maybe<void> => {
    if (readlink === undefined || symlink === undefined || unlink === undefined) return plain(path, newPath)
    return chain(readlink.call(fs, path), (target) =>
      chain(replaced === undefined ? undefined : unlink.call(fs, newPath), () =>
        chain(symlink.call(fs, String(target), newPath), () => chain(unlink.call(fs, path), () => undefined))
      )
    )
  }

  return (path, newPath) => {
    if (path === newPath) return undefined
    return chain(lstat(path), (moved) =>
      chain(
        unlessMissing(() => lstat(newPath)),
        (replaced) => {
          if (moved.isSymbolicLink()) return renameLink(path, newPath, replaced)
          if (replaced === undefined || !replaced.isDirectory())
            return replaced?.isSymbolicLink() === true && unlink !== undefined
              ? chain(unlink.call(fs, newPath), () => plain(path, newPath))
              : plain(path, newPath)
          return chain(fs.readdir(newPath), (names) => {
            if (Array.from(names).length > 0) throw Errno.ENOTEMPTY
            return plain(path, newPath)
          })
        }
      )
    )
  }
}
