/** Set-user-ID and set-group-ID, which a change by the unprivileged takes away: root, as whom it is made here, would keep them. */
import type { RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import { permissionBits, S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_IXGRP } from "../posix/linux.ts"
import type { Attributes } from "./attributes.ts"

/** To be called after the change (FUSE_HANDLE_KILLPRIV_V2 in fuse.h): 0 or a negative errno. */
export const killSuidSgid = (attributes: Attributes, fd: number, context: RequestContext): number => {
  const status = files.fs_stat(fd)
  if (status < 0) return status
  const mode = attributes.mode()
  if ((mode & S_IFMT) === S_IFDIR || (mode & (S_ISUID | S_ISGID)) === 0) return 0
  const { gid } = attributes.attr()
  const member = context.uid === 0 || context.gid === gid || context.groups().includes(gid)
  // A group that may not execute the file keeps the bit, for who is in it.
  const kept = mode & ((mode & S_IXGRP) === 0 && member ? ~S_ISUID : ~(S_ISUID | S_ISGID))
  return kept === mode ? 0 : files.fs_chmod(fd, kept & permissionBits)
}
