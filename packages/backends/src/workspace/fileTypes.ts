/** Types of files, by their mode. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../posix/linux.ts"

/** What a file is, in a word. */
export type FileType = "file" | "directory" | "symlink" | "character device" | "block device" | "fifo" | "socket"

const types: ReadonlyMap<number, FileType> = new Map<number, FileType>([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFCHR, "character device"],
  [S_IFBLK, "block device"],
  [S_IFIFO, "fifo"],
  [S_IFSOCK, "socket"]
])

export const fileTypeOf = (mode: number): FileType => types.get(mode & S_IFMT) ?? "file"
export const isDirectoryMode = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR
export const isRegularMode = (mode: number): boolean => (mode & S_IFMT) === S_IFREG
export const isSymlinkMode = (mode: number): boolean => (mode & S_IFMT) === S_IFLNK
