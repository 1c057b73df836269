/** GETXATTR, SETXATTR, LISTXATTR, REMOVEXATTR. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { done, type Filesystem } from "./filesystem.ts"
import { nameKey } from "./names.ts"
import { getXattr, listXattrs, refusedName, setXattr, type Xattrs } from "./xattr.ts"

/** The value, or with size 0 its size only. */
const sized = (value: Uint8Array, size: number) =>
  size === 0 ? Exit.succeed({ size: value.length }) : value.length > size ? Errno.ERANGE : Exit.succeed(value)

export const xattrOperations = (
  fs: Filesystem
): Pick<Backend, "getxattr" | "setxattr" | "listxattr" | "removexattr"> => ({
  getxattr: ({ name, nodeid, size }, { uid }) => {
    const inode = fs.nodes.get(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const value = getXattr(inode.xattrs, name, uid)
    return value === undefined ? refusedName(name) ?? Errno.ENODATA : sized(value, size)
  },
  setxattr: ({ flags, name, nodeid, value }) => {
    const inode = fs.nodes.get(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const refusedAs = refusedName(name)
    if (refusedAs !== undefined) return refusedAs
    const xattrs: Xattrs = inode.xattrs ?? new Map()
    const refused = setXattr(xattrs, name, value, flags)
    if (refused !== undefined) return refused
    inode.xattrs = xattrs
    inode.ctime = fs.now()
    return done
  },
  listxattr: ({ nodeid, size }, { uid }) => {
    const inode = fs.nodes.get(nodeid)
    return inode === undefined ? Errno.ESTALE : sized(listXattrs(inode.xattrs, uid), size)
  },
  removexattr: ({ name, nodeid }) => {
    const inode = fs.nodes.get(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const refused = refusedName(name)
    if (refused !== undefined) return refused
    if (inode.xattrs?.delete(nameKey(name)) !== true) return Errno.ENODATA
    if (inode.xattrs.size === 0) inode.xattrs = undefined
    inode.ctime = fs.now()
    return done
  }
})
