/** The directory in which a request looks for a name. */
import type { Name, U64 } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import type { Directory, Failure, Filesystem } from "./filesystem.ts"
import type { Inode } from "./inode.ts"
import { nameTooLong } from "./names.ts"

/** A directory in which a name is looked for. */
export interface Place {
  readonly inode: Inode
  readonly directory: Directory
}

/** The directory a node id names, for a name in it; why not, if it cannot be. */
export const placeOf = (fs: Filesystem, nodeid: U64, name: Name): Place | Failure => {
  const inode = fs.node(nodeid)
  if (inode === undefined) return Errno.ESTALE
  const directory = fs.directory(inode)
  if (directory === undefined) return Errno.ENOTDIR
  return nameTooLong(name) ? Errno.ENAMETOOLONG : { inode, directory }
}

/** As `placeOf`, for a name that is to come: nothing comes into a directory that was removed. */
export const livePlaceOf = (fs: Filesystem, nodeid: U64, name: Name): Place | Failure => {
  const place = placeOf(fs, nodeid, name)
  return "directory" in place && place.inode.nlink === 0 ? Errno.ENOENT : place
}
