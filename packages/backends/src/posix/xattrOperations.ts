/** GETXATTR, SETXATTR, LISTXATTR, REMOVEXATTR. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { done, type Filesystem } from "./filesystem.ts"
import { getXattr, listXattrs, refusedName, refusedValue } from "./xattr.ts"

/** The value, or with size 0 its size only. */
const sized = (value: Uint8Array, size: number) =>
  size === 0 ? Exit.succeed({ size: value.length }) : value.length > size ? Errno.ERANGE : Exit.succeed(value)

export const xattrOperations = (
  fs: Filesystem
): Required<Pick<Backend, "getxattr" | "setxattr" | "listxattr" | "removexattr">> => ({
  getxattr: ({ name, nodeid, size }, { uid }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const value = getXattr(fs.xattrs(inode), name, uid)
    return value === undefined ? (refusedName(name) ?? Errno.ENODATA) : sized(value, size)
  },
  setxattr: ({ flags, name, nodeid, value }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const refusedAs = refusedName(name)
    if (refusedAs !== undefined) return refusedAs
    const refused = refusedValue(fs.xattrs(inode), name, value, flags)
    if (refused !== undefined) return refused
    fs.putXattr(inode, name, value)
    inode.ctime = fs.now()
    return done
  },
  listxattr: ({ nodeid, size }, { uid }) => {
    const inode = fs.node(nodeid)
    return inode === undefined ? Errno.ESTALE : sized(listXattrs(fs.xattrs(inode), uid), size)
  },
  removexattr: ({ name, nodeid }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const refused = refusedName(name)
    if (refused !== undefined) return refused
    if (!fs.removeXattr(inode, name)) return Errno.ENODATA
    inode.ctime = fs.now()
    return done
  }
})
