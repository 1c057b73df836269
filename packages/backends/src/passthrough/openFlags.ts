/** With which flags files are opened here: not all that a program gave, and none that would mark reads where that is unwanted. */
import { errnoNumbers } from "@bickford/protocol"
import { type AtimePolicy, atimePolicy } from "@bickford/session"
import { files } from "@bickford/transport"
import { O_ACCMODE, O_APPEND, O_NOATIME, O_TRUNC } from "../posix/linux.ts"
import type { Served } from "./served.ts"

const { EPERM } = errnoNumbers
const O_RDWR = 2
const O_WRONLY = 1
const O_DSYNC = 0o10000
const O_DIRECTORY = 0o200000
const O_SYNC = 0o4010000
const defaultAtime = atimePolicy({})

/** Of a program's flags, those that a descriptor of ours is opened with: the kernel has seen to the others. */
export const keptFlags = O_ACCMODE | O_TRUNC | O_NOATIME | O_DSYNC | O_SYNC

export const makeOpenFlags = (served: Served) => {
  const { options } = served

  const flagsFor = (flags: number): number => {
    const own = flags & keptFlags
    // What is written back later must be read before, to fill pages.
    return options.writebackCache === true && (own & O_ACCMODE) === O_WRONLY ? (own & ~O_ACCMODE) | O_RDWR : own
  }

  const atime = (): AtimePolicy => served.connection?.atime ?? defaultAtime

  /** Another descriptor of a directory, to list it. */
  const openToList = (folder: number): number => {
    const quiet = atime().directories === "noatime" ? files.fs_open(folder, O_DIRECTORY | O_NOATIME, 0) : -EPERM
    return quiet === -EPERM ? files.fs_open(folder, O_DIRECTORY, 0) : quiet
  }

  /**
   * Opens by the flags that a descriptor of ours has. A file that can only be appended to (chattr +a) wants O_APPEND too;
   * others are opened without it, since they are written at offsets, also when fcntl(2) has cleared the program's flag.
   */
  const openWith = (flags: number, open: (flags: number) => number): number => {
    const own = flagsFor(flags)
    const quiet = atime().files === "noatime" ? O_NOATIME : 0
    const fd = open(own | quiet)
    if (fd !== -EPERM) return fd
    // Only the owner and root may read without a trace.
    const plain = quiet === 0 ? fd : open(own)
    return plain === -EPERM && (flags & O_APPEND) !== 0 ? open(own | O_APPEND) : plain
  }

  return { flagsFor, atime, openToList, openWith }
}

export type OpenFlags = ReturnType<typeof makeOpenFlags>
