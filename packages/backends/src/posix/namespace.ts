/** Operations on names: lookup, creation, removal, links. */
import { type Created, type Entry, type Name, nameLength, type Timespec, type U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { attach, type Directory, done, entry, type Failure, type Filesystem } from "./filesystem.ts"
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
import { nameTooLong } from "./names.ts"
import { type Opening, truncateOnCreate } from "./open.ts"
import { inherited } from "./privileges.ts"

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

/** Makes an inode as its directory and the caller have it; no name yet. */
export const makeIn = (fs: Filesystem, parent: Inode, mode: number, rdev: number, context: RequestContext, at: Timespec): Inode | Failure => {
  const refused = fs.usage.noInode(context.uid)
  if (refused !== undefined) return refused
  const own = inherited(parent, mode, context)
  return fs.make(own.mode, context.uid, own.gid, rdev, at)
}

const specialTypes: ReadonlyArray<number> = [S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK]

type Operations =
  | "lookup" | "forget" | "mknod" | "mkdir" | "symlink" | "readlink" | "create" | "tmpfile" | "link" | "unlink" | "rmdir"

export const namespaceOperations = (fs: Filesystem, opening: Opening, negative: Timespec | undefined): Required<Pick<Backend, Operations>> => {
  /** The new inode under its name, or why there is none. */
  const makeNamed = (nodeid: U64, name: Name, mode: number, rdev: number, context: RequestContext): Inode | Failure => {
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
  const entryOf = (made: Inode | Failure): Exit.Exit<Inode> | Failure => made instanceof Inode ? entry(made) : made
  const created = (inode: Inode): Exit.Exit<Created> => {
    inode.known = true
    return Exit.succeed({ entry: inode, open: opening.file() })
  }
  // The attributes are looked at by nobody.
  const noEntry: Exit.Exit<Entry> | undefined = negative && Exit.succeed({
    nodeid: 0,
    generation: 0,
    entryValid: negative,
    attrValid: negative,
    attr: new Inode(0, 0, 0, 0, 0, 0, negative, negative, negative)
  })

  /** Takes a name away, of a directory or of anything else. */
  const remove = (nodeid: U64, name: Name, refuse: (inode: Inode) => Failure | undefined) => {
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

  return {
    lookup: ({ name, nodeid }) => {
      const place = placeOf(fs, nodeid, name)
      if (!("directory" in place)) {
        // Node ids are looked up by `.` for NFS, and then need not be directories.
        const inode = name === "." ? fs.node(nodeid) : undefined
        return inode === undefined ? place : entry(inode)
      }
      const found = place.directory.get(name)
      if (found !== undefined) return entry(found)
      if (name === ".") return entry(place.inode)
      if (name === "..") return entry(place.directory.parent)
      return noEntry ?? Errno.ENOENT
    },
    forget: (nodeid, _nlookup, left) => {
      if (left > 0) return
      fs.forget(nodeid)
    },

    mknod: ({ mode, name, nodeid, rdev }, context) => {
      const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT
      if (!specialTypes.includes(type)) return type === S_IFDIR ? Errno.EPERM : Errno.EINVAL
      const device = type === S_IFCHR || type === S_IFBLK ? rdev : 0
      return entryOf(makeNamed(nodeid, name, type | (mode & permissionBits), device, context))
    },
    mkdir: ({ mode, name, nodeid }, context) =>
      entryOf(makeNamed(nodeid, name, S_IFDIR | (mode & permissionBits), 0, context)),
    symlink: ({ name, nodeid, target }, context) => {
      const size = nameLength(target)
      if (size === 0) return Errno.ENOENT
      if (size > symlinkMax) return Errno.ENAMETOOLONG
      const inode = makeNamed(nodeid, name, S_IFLNK | 0o777, 0, context)
      if (!(inode instanceof Inode)) return inode
      fs.makeSymlink(inode, target)
      inode.size = size
      return entry(inode)
    },
    readlink: ({ nodeid }) => {
      const inode = fs.node(nodeid)
      if (inode === undefined) return Errno.ESTALE
      const target = fs.target(inode)
      if (target === undefined) return Errno.EINVAL
      fs.accessed(inode)
      return Exit.succeed(target)
    },

    create: ({ flags, mode, name, nodeid, openFlags }, context) => {
      const inode = makeNamed(nodeid, name, S_IFREG | (mode & permissionBits), 0, context)
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
    },
    unlink: ({ name, nodeid }) => remove(nodeid, name, (inode) => isDirectory(inode) ? Errno.EISDIR : undefined),
    rmdir: ({ name, nodeid }) =>
      remove(nodeid, name, (inode) => {
        const directory = fs.directory(inode)
        return directory === undefined ? Errno.ENOTDIR : directory.empty ? undefined : Errno.ENOTEMPTY
      })
  }
}
