/** What makes inodes: MKNOD, MKDIR, SYMLINK, CREATE and TMPFILE; and LINK, which makes a name. */
import { type Created, type Name, nameLength, type Timespec, type U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { attach, entry, type Failure, type Filesystem } from "./filesystem.ts"
import { Inode, isDirectory, isRegular } from "./inode.ts"
import {
  O_EXCL,
  O_TRUNC,
  permissionBits,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  symlinkMax
} from "./linux.ts"
import { type Opening, truncateOnCreate } from "./open.ts"
import { livePlaceOf, placeOf } from "./place.ts"
import { inherited } from "./privileges.ts"

/** Makes an inode as its directory and the caller have it; no name yet. */
export const makeIn = (
  fs: Filesystem,
  parent: Inode,
  mode: number,
  rdev: number,
  context: RequestContext,
  at: Timespec
): Inode | Failure => {
  const refused = fs.usage.noInode(context.uid)
  if (refused !== undefined) return refused
  const own = inherited(parent, mode, context)
  return fs.make(own.mode, context.uid, own.gid, rdev, at)
}

const specialTypes: ReadonlyArray<number> = [S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK]

/** The new inode under its name, or why there is none. */
const makeNamed = (
  fs: Filesystem,
  nodeid: U64,
  name: Name,
  mode: number,
  rdev: number,
  context: RequestContext
): Inode | Failure => {
  const place = livePlaceOf(fs, nodeid, name)
  if (!("directory" in place)) return place
  if (place.directory.get(name) !== undefined) return Errno.EEXIST
  if (place.directory.full) return Errno.ENOSPC
  const at = fs.now()
  const inode = makeIn(fs, place.inode, mode, rdev, context, at)
  if (!(inode instanceof Inode)) return inode
  if (isDirectory(inode)) {
    fs.makeDirectory(inode, place.inode)
    inode.nlink = 2
  } else inode.nlink = 1
  attach(place.inode, place.directory, name, inode, at)
  return inode
}
const entryOf = (made: Inode | Failure): Exit.Exit<Inode> | Failure => (made instanceof Inode ? entry(made) : made)

type Creations = "mknod" | "mkdir" | "symlink" | "create" | "tmpfile" | "link"

export const creations = (fs: Filesystem, opening: Opening): Required<Pick<Backend, Creations>> => {
  const created = (inode: Inode): Exit.Exit<Created> => {
    inode.known = true
    return Exit.succeed({ entry: inode, open: opening.file() })
  }
  return {
    mknod: ({ mode, name, nodeid, rdev }, context) => {
      const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT
      if (!specialTypes.includes(type)) return type === S_IFDIR ? Errno.EPERM : Errno.EINVAL
      const device = type === S_IFCHR || type === S_IFBLK ? rdev : 0
      return entryOf(makeNamed(fs, nodeid, name, type | (mode & permissionBits), device, context))
    },
    mkdir: ({ mode, name, nodeid }, context) =>
      entryOf(makeNamed(fs, nodeid, name, S_IFDIR | (mode & permissionBits), 0, context)),
    symlink: ({ name, nodeid, target }, context) => {
      const size = nameLength(target)
      if (size === 0) return Errno.ENOENT
      if (size > symlinkMax) return Errno.ENAMETOOLONG
      const inode = makeNamed(fs, nodeid, name, S_IFLNK | 0o777, 0, context)
      if (!(inode instanceof Inode)) return inode
      fs.makeSymlink(inode, target)
      inode.size = size
      return entry(inode)
    },
    create: ({ flags, mode, name, nodeid, openFlags }, context) => {
      const inode = makeNamed(fs, nodeid, name, S_IFREG | (mode & permissionBits), 0, context)
      if (inode instanceof Inode) return created(inode)
      if (inode !== Errno.EEXIST || (flags & O_EXCL) !== 0) return inode
      // The kernel had not heard of the file yet: it is opened as it is.
      const place = placeOf(fs, nodeid, name)
      const existing = "directory" in place ? place.directory.get(name) : undefined
      if (existing === undefined) return inode
      if (isDirectory(existing)) return Errno.EISDIR
      if (!isRegular(existing)) return inode
      if ((flags & O_TRUNC) !== 0) truncateOnCreate(fs, existing, openFlags, context)
      return created(existing)
    },
    tmpfile: ({ mode, nodeid }, context) => {
      const parent = fs.node(nodeid)
      if (parent === undefined) return Errno.ESTALE
      if (!isDirectory(parent)) return Errno.ENOTDIR
      if (parent.nlink === 0) return Errno.ENOENT
      const inode = makeIn(fs, parent, S_IFREG | (mode & permissionBits), 0, context, fs.now())
      return inode instanceof Inode ? created(inode) : inode
    },

    link: ({ newname, nodeid, oldnodeid }) => {
      const inode = fs.node(oldnodeid)
      if (inode === undefined) return Errno.ESTALE
      const place = livePlaceOf(fs, nodeid, newname)
      if (!("directory" in place)) return place
      if (place.directory.get(newname) !== undefined) return Errno.EEXIST
      if (isDirectory(inode)) return Errno.EPERM
      if (place.directory.full) return Errno.ENOSPC
      const at = fs.now()
      attach(place.inode, place.directory, newname, inode, at)
      inode.nlink++
      inode.ctime = at
      return entry(inode)
    }
  }
}
