/** rename(2) and renameat2(2). */
import { type Backend, Errno } from "@bickford/session"
import { Directory } from "./directory.ts"
import { done, type Filesystem } from "./filesystem.ts"
import { Inode, isDirectory } from "./inode.ts"
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, S_IFCHR } from "./linux.ts"
import { nameKey, ownName } from "./names.ts"
import { livePlaceOf, makeIn, placeOf } from "./namespace.ts"

const knownFlags = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT

/** Whether `inode` is `directory` or lies above it. */
const contains = (inode: Inode, directory: Inode): boolean => {
  for (let at = directory;;) {
    if (at === inode) return true
    const { content } = at
    if (!(content instanceof Directory) || content.parent === at) return false
    at = content.parent
  }
}

export const renameOperations = (fs: Filesystem): Pick<Backend, "rename"> => ({
  rename: ({ flags, name, newdir, newname, nodeid }, context) => {
    const exchange = (flags & RENAME_EXCHANGE) !== 0
    const whiteout = (flags & RENAME_WHITEOUT) !== 0
    if ((flags & ~knownFlags) !== 0 || (exchange && flags !== RENAME_EXCHANGE)) return Errno.EINVAL
    const from = placeOf(fs, nodeid, name)
    if (!("directory" in from)) return from
    const to = livePlaceOf(fs, newdir, newname)
    if (!("directory" in to)) return to
    const key = nameKey(name)
    const newKey = nameKey(newname)
    const entry = from.directory.get(key)
    const inode = entry?.inode
    if (entry === undefined || inode === undefined) return Errno.ENOENT
    const target = to.directory.get(newKey)
    const replaced = target?.inode
    if (replaced !== undefined && (flags & RENAME_NOREPLACE) !== 0) return Errno.EEXIST
    if (replaced === undefined && exchange) return Errno.ENOENT
    if (isDirectory(inode) && contains(inode, to.inode)) return Errno.EINVAL
    if (exchange && replaced !== undefined && isDirectory(replaced) && contains(replaced, from.inode)) return Errno.EINVAL
    if (replaced === inode) return done
    if (replaced !== undefined && !exchange) {
      if (isDirectory(inode) && !isDirectory(replaced)) return Errno.ENOTDIR
      if (!isDirectory(inode) && isDirectory(replaced)) return Errno.EISDIR
      if (replaced.content instanceof Directory && replaced.content.size > 0) return Errno.ENOTEMPTY
    }
    if (target === undefined && from.directory !== to.directory && to.directory.full) return Errno.ENOSPC

    const at = fs.now()
    // The only step that can still fail comes before the first change.
    const left = whiteout ? makeIn(fs, from.inode, S_IFCHR, 0, context, at) : undefined
    if (left !== undefined && !(left instanceof Inode)) return left

    if (exchange && target !== undefined && replaced !== undefined) {
      entry.inode = replaced
      target.inode = inode
      if (replaced.content instanceof Directory) {
        replaced.content.parent = from.inode
        to.inode.nlink--
        from.inode.nlink++
      }
      replaced.ctime = at
    } else {
      if (left === undefined) from.directory.remove(key, entry)
      else {
        left.nlink = 1
        entry.inode = left
      }
      if (target === undefined) to.directory.add(newKey, ownName(newname), inode)
      else target.inode = inode
      if (replaced !== undefined) {
        if (isDirectory(replaced)) to.inode.nlink--
        fs.unlinked(replaced, at)
      }
    }
    if (inode.content instanceof Directory) {
      inode.content.parent = to.inode
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
