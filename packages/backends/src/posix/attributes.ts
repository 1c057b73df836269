/** GETATTR, SETATTR, STATX. */
import type { Statx, Timespec } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { type Filesystem, notRegular } from "./filesystem.ts"
import { hasValidTimes } from "./givenTimes.ts"
import { Inode } from "./inode.ts"
import {
  FATTR_ATIME,
  FATTR_ATIME_NOW,
  FATTR_CTIME,
  FATTR_FH,
  FATTR_GID,
  FATTR_KILL_SUIDGID,
  FATTR_LOCKOWNER,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID,
  permissionBits,
  S_IFMT,
  STATX_BASIC_STATS,
  STATX_BTIME
} from "./linux.ts"
import { dropCapability, killForOwnerChange, killSuidSgid, permittedMode } from "./privileges.ts"
import { fileSizeMax } from "@bickford/protocol/arithmetic"

/** A time to keep: the request's own object is not ours. */
const own = ({ nsec, sec }: Timespec): Timespec => ({ sec, nsec })

const statxOf = (inode: Inode): Statx => ({
  mask: STATX_BASIC_STATS | STATX_BTIME,
  blksize: inode.blksize,
  attributes: 0,
  nlink: inode.nlink,
  uid: inode.uid,
  gid: inode.gid,
  mode: inode.mode,
  ino: inode.ino,
  size: inode.size,
  blocks: inode.blocks,
  attributesMask: 0,
  atime: inode.atime,
  btime: inode.btime,
  ctime: inode.ctime,
  mtime: inode.mtime,
  // The kernel's new_encode_dev.
  rdevMajor: (inode.rdev >>> 8) & 0xfff,
  rdevMinor: (inode.rdev & 0xff) | ((inode.rdev >>> 12) & 0xfff00),
  devMajor: 0,
  devMinor: 0
})

export const attributeOperations = (fs: Filesystem): Required<Pick<Backend, "getattr" | "setattr" | "statx">> => ({
  getattr: ({ nodeid }) => {
    const inode = fs.node(nodeid)
    return inode === undefined ? Errno.ESTALE : inode.answer
  },

  statx: ({ nodeid }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    return Exit.succeed({ attrValid: inode.attrValid, flags: 0, stat: statxOf(inode) })
  },

  setattr: (request, context) => {
    const inode = fs.node(request.nodeid)
    if (inode === undefined) return Errno.ESTALE
    if (!hasValidTimes(request)) return Errno.EINVAL
    const { valid } = request
    const uid = (valid & FATTR_UID) !== 0 ? request.newUid : inode.uid
    if ((valid & FATTR_SIZE) !== 0) {
      const refused = notRegular(inode)
      if (refused !== undefined) return refused
      if (request.size > fileSizeMax) return Errno.EFBIG
    }
    if (uid !== inode.uid && !fs.usage.mayOwn(uid, inode.blocks / 8)) return Errno.EDQUOT

    const at = fs.now()
    // A SETATTR of nothing is chown(path, -1, -1), or the removal of privileges on its own.
    if ((valid & (FATTR_UID | FATTR_GID)) !== 0 || (valid & ~(FATTR_FH | FATTR_LOCKOWNER)) === 0) {
      killForOwnerChange(fs, inode, context)
    }
    if (uid !== inode.uid) {
      fs.usage.transfer(inode.uid, uid, inode.blocks / 8)
      inode.uid = uid
    }
    if ((valid & FATTR_GID) !== 0) inode.gid = request.newGid
    if ((valid & FATTR_MODE) !== 0) {
      inode.mode = (inode.mode & S_IFMT) | permittedMode(request.mode & permissionBits, inode.gid, context)
    }
    if ((valid & FATTR_SIZE) !== 0) {
      fs.resize(inode, request.size)
      inode.mtime = at
      dropCapability(fs, inode)
    }
    if ((valid & FATTR_KILL_SUIDGID) !== 0) killSuidSgid(inode, context)
    if ((valid & FATTR_ATIME_NOW) !== 0) inode.atime = at
    else if ((valid & FATTR_ATIME) !== 0) inode.atime = own(request.atime)
    if ((valid & FATTR_MTIME_NOW) !== 0) inode.mtime = at
    else if ((valid & FATTR_MTIME) !== 0) inode.mtime = own(request.mtime)
    // Only a kernel that writes back, and so keeps the times, sends one.
    inode.ctime = (valid & FATTR_CTIME) !== 0 ? own(request.ctime) : at
    return inode.answer
  }
})
