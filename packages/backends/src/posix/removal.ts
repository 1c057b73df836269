/** UNLINK and RMDIR. */
import type { Name, U64 } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import { done, type Failure, type Filesystem } from "./filesystem.ts"
import { type Inode, isDirectory } from "./inode.ts"
import { placeOf } from "./place.ts"

/** Removes a name, of a directory or of anything else, unless `refuse` has a reason not to. */
const remove = (fs: Filesystem, nodeid: U64, name: Name, refuse: (inode: Inode) => Failure | undefined) => {
  const place = placeOf(fs, nodeid, name)
  if (!("directory" in place)) return place
  const inode = place.directory.get(name)
  if (inode === undefined) return Errno.ENOENT
  const refused = refuse(inode)
  if (refused !== undefined) return refused
  const at = fs.now()
  place.directory.remove(name)
  if (isDirectory(inode)) place.inode.nlink--
  place.inode.mtime = at
  place.inode.ctime = at
  fs.unlinked(inode, at)
  return done
}

export const removals = (fs: Filesystem): Required<Pick<Backend, "unlink" | "rmdir">> => ({
  unlink: ({ name, nodeid }) => remove(fs, nodeid, name, (inode) => (isDirectory(inode) ? Errno.EISDIR : undefined)),
  rmdir: ({ name, nodeid }) =>
    remove(fs, nodeid, name, (inode) => {
      const directory = fs.directory(inode)
      return directory === undefined ? Errno.ENOTDIR : directory.empty ? undefined : Errno.ENOTEMPTY
    })
})
