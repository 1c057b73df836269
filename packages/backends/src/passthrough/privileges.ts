/** Set-user-ID and set-group-ID, which a change by the unprivileged takes away: root, as whom it is made here, would keep them. */
import type { U64 } from "@bickford/protocol"
import type { RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import { permissionBits, S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_IXGRP } from "../posix/linux.ts"
import type { Attributes } from "./attributes.ts"
import { dropAttributes, type Served } from "./served.ts"

/** What a change by the caller leaves of the mode that was just seen. */
const modeLeft = (attributes: Attributes, context: RequestContext): number => {
  const mode = attributes.mode()
  if ((mode & S_IFMT) === S_IFDIR || (mode & (S_ISUID | S_ISGID)) === 0) return mode
  const { gid } = attributes.attr()
  const member = context.uid === 0 || context.gid === gid || context.groups().includes(gid)
  // A group that may not execute the file keeps the bit, for who is in it.
  return mode & ((mode & S_IXGRP) === 0 && member ? ~S_ISUID : ~(S_ISUID | S_ISGID))
}

/**
 * To be called after a change of the node's content by the caller (FUSE_HANDLE_KILLPRIV_V2 in fuse.h), whose answer does
 * not tell the mode: 0 or a negative errno.
 */
export const killSuidSgid = (served: Served, nodeid: U64, fd: number, context: RequestContext): number => {
  const { attributes } = served
  const status = files.fs_stat(fd)
  if (status < 0) return status
  const left = modeLeft(attributes, context)
  if (left === attributes.mode()) return 0
  const changed = files.fs_chmod(fd, left & permissionBits)
  dropAttributes(served, nodeid)
  return changed
}

/**
 * As `killSuidSgid`, for a change that comes without the kernel's word on it: nothing is done for root.
 *
 * Where the request does not name its caller (`allowIdmap`), it is cheaper to look at the mode than for the caller.
 */
export const killUnlessRoot = (served: Served, nodeid: U64, fd: number, context: RequestContext): number => {
  if (served.negotiated?.allowIdmap === true) {
    const status = files.fs_stat(fd)
    if (status < 0 || (served.attributes.mode() & (S_ISUID | S_ISGID)) === 0) return status
  }
  return context.uid === 0 ? 0 : killSuidSgid(served, nodeid, fd, context)
}

/** Changes the owner as the caller would: in whose group he is not, its set-group-ID he does not keep. */
export const changeOwnerAs = (
  attributes: Attributes,
  fd: number,
  uid: number,
  gid: number,
  context: RequestContext
): number => {
  if (context.uid === 0) return files.fs_chown(fd, uid, gid)
  const status = files.fs_stat(fd)
  if (status < 0) return status
  const left = modeLeft(attributes, context)
  const lost = left !== attributes.mode()
  const changed = files.fs_chown(fd, uid, gid)
  return changed < 0 || !lost ? changed : files.fs_chmod(fd, left & permissionBits)
}
