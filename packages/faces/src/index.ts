/** What Node already has as a filesystem, mounted; and what is mounted, without a mount. */
export type { FsHandle, FsLike, FsStatfs, FsStats, Maybe } from "./in/fs/FsLike.ts"
export { fromFs, type FromFsOptions } from "./in/fs/fromFs.ts"
export { type BashFileSystem, type BashStat, fromJustBash } from "./in/justBash.ts"
export { fromEffect } from "./in/effect.ts"
export { fromVfs, type FromVfsOptions, type VirtualHandle, type VirtualProvider } from "./in/vfs.ts"
export type { ArchiveError } from "./in/archive/errors.ts"
export { tar } from "./in/archive/tar.ts"
export { zip } from "./in/archive/zip.ts"
