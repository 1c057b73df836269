/**
 * How a mount keeps times of reading. The kernel sets S_NOATIME on every inode of a FUSE filesystem and leaves the
 * mount's atime flags without effect (fs/fuse/inode.c, fuse_iget), so the server has to follow them.
 */

/** `relatime`: the first read since a change, or in a day. `strictatime`: every read that the server sees. */
export type AtimeRule = "relatime" | "strictatime" | "noatime"

/** The rules of a mount; `nodiratime` leaves out directories only (mount(2)). */
export interface AtimePolicy {
  /** For everything but directories. */
  readonly files: AtimeRule
  readonly directories: AtimeRule
}

/** The atime flags of mount(8), as mount options have them. */
export interface AtimeFlags {
  readonly noatime?: boolean
  readonly nodiratime?: boolean
  readonly strictatime?: boolean
}

/** What the kernel does where nothing is said (since Linux 2.6.30). */
export const defaultAtime: AtimePolicy = { files: "relatime", directories: "relatime" }

/** Returns the policy that mount flags ask for; `noatime` wins over `strictatime`, as in mount(2). */
export const atimePolicy = ({ noatime = false, nodiratime = false, strictatime = false }: AtimeFlags): AtimePolicy => {
  const files = noatime ? "noatime" : strictatime ? "strictatime" : "relatime"
  return { files, directories: nodiratime ? "noatime" : files }
}
