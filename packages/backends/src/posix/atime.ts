/** Times of the last read, as the mount has them kept (mount(8): relatime, strictatime, noatime, nodiratime). */
import type { Timespec } from "@bickford/protocol"
import { type AtimePolicy, atimePolicy } from "@bickford/session"
import { notAfter } from "./clock.ts"
import { type Inode, isDirectory } from "./inode.ts"

const relatimeSeconds = 24 * 60 * 60

export interface Atimes {
  /** Goes by the flags of the mount that is served now. Until it is called: relatime. */
  readonly follow: (policy: AtimePolicy) => void
  /** Marks a read, where the policy says so. Returns whether it was marked. */
  readonly mark: (inode: Inode) => boolean
}

export const makeAtimes = (now: () => Timespec): Atimes => {
  let policy = atimePolicy({})
  return {
    follow: (given) => {
      policy = given
    },
    mark: (inode) => {
      const rule = isDirectory(inode) ? policy.directories : policy.files
      if (rule === "noatime") return false
      const { atime } = inode
      const at = now()
      if (
        rule === "relatime" &&
        !notAfter(atime, inode.mtime) &&
        !notAfter(atime, inode.ctime) &&
        Number(at.sec) - Number(atime.sec) < relatimeSeconds
      )
        return false
      inode.atime = at
      return true
    }
  }
}
