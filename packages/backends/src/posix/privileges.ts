/** Set-user-ID, set-group-ID and file capabilities: who gets them, and what takes them away. */
import type { RequestContext } from "@bickford/session"
import type { Filesystem } from "./filesystem.ts"
import { type Inode, isDirectory } from "./inode.ts"
import { S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_IXGRP } from "./linux.ts"

/** Whether the caller is in a group. Root counts as in all of them: it has CAP_FSETID. */
const inGroup = (context: RequestContext, gid: number): boolean =>
  context.uid === 0 || context.gid === gid || context.groups().includes(gid)

/** A mode without set-group-ID, when the caller may not give it to a file of this group (chmod(2)). */
export const permittedMode = (mode: number, gid: number, context: RequestContext): number =>
  (mode & S_ISGID) !== 0 && !inGroup(context, gid) ? mode & ~S_ISGID : mode

/** The group and the mode of what is made in a directory (inode(7), "the set-group-ID bit"). */
export const inherited = (
  directory: Inode,
  mode: number,
  context: RequestContext
): { readonly gid: number; readonly mode: number } => {
  if ((directory.mode & S_ISGID) === 0) return { gid: context.gid, mode }
  const gid = directory.gid
  if ((mode & S_IFMT) === S_IFDIR) return { gid, mode: mode | S_ISGID }
  return { gid, mode: (mode & S_IXGRP) !== 0 ? permittedMode(mode, gid, context) : mode }
}

/** The file's content changed: capabilities go, whoever did it. */
export const dropCapability = (fs: Filesystem, inode: Inode): void => {
  if (fs.xattrs(inode) !== undefined) fs.removeXattr(inode, "security.capability")
}

/**
 * Clears what a write or a truncation by the unprivileged clears: set-user-ID, and set-group-ID unless
 * the group may not execute the file and the caller is in it (FUSE_HANDLE_KILLPRIV_V2 in fuse.h).
 */
export const killSuidSgid = (inode: Inode, context: RequestContext): void => {
  if (isDirectory(inode)) return
  inode.mode &= (inode.mode & S_IXGRP) !== 0 ? ~(S_ISUID | S_ISGID) : ~S_ISUID
  inode.mode = permittedMode(inode.mode, inode.gid, context)
}

/** Clears what chown(2) clears, whoever calls it. */
export const killForOwnerChange = (fs: Filesystem, inode: Inode, context: RequestContext): void => {
  if (isDirectory(inode)) return
  killSuidSgid(inode, context)
  dropCapability(fs, inode)
}
