/** The permissions of what is made: the mode asked for, the umask and the directory's default ACL (acl(5)). */
import { files } from "@bickford/transport"
import { defaultAcl } from "../posix/acl.ts"

const nothing = new Uint8Array(0)

export interface CreationMode {
  /** To be given to the system call that makes it. */
  readonly mode: number
  /** This process's own umask takes from it what the caller's does not: chmod(2) is to follow. */
  readonly isMasked: boolean
}

/** Makes a function of a directory's descriptor, a mode and the umask that is to count. */
export const makeCreationMode = () => {
  // This process's mask, which is not the caller's: what it takes away is given back.
  const own = process.umask()
  return (folder: number, mode: number, umask: number): CreationMode => {
    if ((mode & (umask | own)) === 0) return { mode, isMasked: false }
    // A default ACL takes the umask's place, the caller's and this process's.
    if (files.fs_getxattr(folder, defaultAcl, nothing) > 0) return { mode, isMasked: false }
    const left = mode & ~umask
    return { mode: left, isMasked: (left & own) !== 0 }
  }
}
