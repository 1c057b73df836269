/** rename(2) and renameat2(2). */
import { type Backend, Errno } from "@bickford/session"
import { done, type Filesystem } from "./filesystem.ts"
import { Inode, isDirectory } from "./inode.ts"
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, S_IFCHR } from "./linux.ts"
import { makeIn } from "./creation.ts"
import { livePlaceOf, placeOf } from "./place.ts"

const knownFlags = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT

/** Whether `inode` is `directory` or lies above it. */
const contains = (fs: Filesystem, inode: Inode, directory: Inode): boolean => {
  for (let at = directory; ;) {
    if (at === inode) return true
    const parent = fs.directory(at)?.parent
    if (parent === undefined || parent === at) return false
    at = parent
  }
}

export const renameOperations = (fs: Filesystem): Required<Pick<Backend, "rename">> => ({
  rename: ({ flags, name, newdir, newname, nodeid }, context) => {
    const exchange = (flags & RENAME_EXCHANGE) !== 0
    const whiteout = (flags & RENAME_WHITEOUT) !== 0
    if ((flags & ~knownFlags) !== 0 || (exchange && flags !== RENAME_EXCHANGE)) return Errno.EINVAL
    const from = placeOf(fs, nodeid, name)
    if (!("directory" in from)) return from
    const to = livePlaceOf(fs, newdir, newname)
    if (!("directory" in to)) return to
    const inode = from.directory.get(name)
    if (inode === undefined) return Errno.ENOENT
    const replaced = to.directory.get(newname)
    if (replaced !== undefined && (flags & RENAME_NOREPLACE) !== 0) return Errno.EEXIST
    if (replaced === undefined && exchange) return Errno.ENOENT
    if (isDirectory(inode) && contains(fs, inode, to.inode)) return Errno.EINVAL
    if (exchange && replaced !== undefined && isDirectory(replaced) && contains(fs, replaced, from.inode))
      return Errno.EINVAL
    if (replaced === inode) return done
    if (replaced !== undefined && !exchange) {
      if (isDirectory(inode) && !isDirectory(replaced)) return Errno.ENOTDIR
      if (!isDirectory(inode) && isDirectory(replaced)) return Errno.EISDIR
      if (fs.directory(replaced)?.empty === false) return Errno.ENOTEMPTY
    }
    if (replaced === undefined && from.directory !== to.directory && to.directory.full) return Errno.ENOSPC

    const at = fs.now()
    // The only step that can still fail comes before the first change.
    const left = whiteout ? makeIn(fs, from.inode, S_IFCHR, 0, context, at) : undefined
    if (left !== undefined && !(left instanceof Inode)) return left

    if (exchange && replaced !== undefined) {
      from.directory.replace(name, replaced)
      to.directory.replace(newname, inode)
      const moved = fs.directory(replaced)
      if (moved !== undefined) {
        moved.parent = from.inode
        to.inode.nlink--
        from.inode.nlink++
      }
      replaced.ctime = at
    } else {
      if (left !== undefined) {
        left.nlink = 1
        from.directory.replace(name, left)
      }
      if (left === undefined && replaced === undefined && from.directory === to.directory)
        from.directory.rename(name, newname)
      else {
        if (left === undefined) from.directory.remove(name)
        if (replaced === undefined) to.directory.add(newname, inode)
        else to.directory.replace(newname, inode)
      }
      if (replaced !== undefined) {
        if (isDirectory(replaced)) to.inode.nlink--
        fs.unlinked(replaced, at)
      }
    }
    const moved = fs.directory(inode)
    if (moved !== undefined) {
      moved.parent = to.inode
      from.inode.nlink--
      to.inode.nlink++
    }
    inode.ctime = at
    for (const parent of [from.inode, to.inode]) {
      parent.mtime = at
      parent.ctime = at
    }
    return done
  }
})
