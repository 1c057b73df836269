/** What a SETATTR asks for, in the terms of the callbacks: chmod, chown, truncate, utimens. */
import { setattrValid as fattr, type SetattrRequest, type Timespec } from "@bickford/protocol"
import { permissionBits } from "../posix/linux.ts"

const owners = fattr.FATTR_UID | fattr.FATTR_GID
const times = fattr.FATTR_ATIME | fattr.FATTR_MTIME

/** By the callback that does it; what it does not ask for is undefined. */
export interface Changes {
  readonly mode: number | undefined
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly size: SetattrRequest["size"] | undefined
  readonly times: { readonly atime: Timespec | undefined; readonly mtime: Timespec | undefined } | undefined
}

/** Reads a request; `now` is the time that it sets where it asks for the present one. */
export const changesOf = (
  { atime, mode, mtime, newGid, newUid, size, valid }: SetattrRequest,
  now: () => Timespec
): Changes => {
  const has = (flags: number): boolean => (valid & flags) !== 0
  const given = (set: number, setNow: number, time: Timespec): Timespec | undefined =>
    has(set) ? (has(setNow) ? now() : time) : undefined
  return {
    mode: has(fattr.FATTR_MODE) ? mode & permissionBits : undefined,
    // -1 leaves one as it is, as in chown(2).
    owner: has(owners)
      ? { uid: has(fattr.FATTR_UID) ? newUid : -1, gid: has(fattr.FATTR_GID) ? newGid : -1 }
      : undefined,
    size: has(fattr.FATTR_SIZE) ? size : undefined,
    times: has(times)
      ? {
          atime: given(fattr.FATTR_ATIME, fattr.FATTR_ATIME_NOW, atime),
          mtime: given(fattr.FATTR_MTIME, fattr.FATTR_MTIME_NOW, mtime)
        }
      : undefined
  }
}
