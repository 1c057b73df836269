/** From what a callback says of a file to what the kernel is told. */
import type { Attr, Timespec } from "@bickford/session"
import type { PathAttributes, Time } from "./callbacks.ts"

const S_IFMT = 0o170000
const S_IFDIR = 0o040000
const epoch: Timespec = { sec: 0, nsec: 0 }

export const timespec = (time: Time | undefined): Timespec => {
  if (time === undefined) return epoch
  if (typeof time === "object" && !(time instanceof Date)) return time
  const seconds = typeof time === "number" ? time : time.getTime() / 1000
  const sec = Math.floor(seconds)
  return { sec, nsec: Math.min(999_999_999, Math.round((seconds - sec) * 1e9)) }
}

const isDirectory = (attributes: PathAttributes): boolean => (attributes.mode & S_IFMT) === S_IFDIR

/** Whether the kernel can rely on the size; else it must ask for every byte (FOPEN_DIRECT_IO). */
export const hasSize = (attributes: PathAttributes): boolean => attributes.size !== undefined || (attributes.mode & S_IFMT) !== 0o100000

export const attrOf = (ino: number, given: PathAttributes): Attr => {
  const size = given.size ?? 0
  return {
    ino: given.ino ?? ino,
    size,
    blocks: given.blocks ?? (typeof size === "bigint" ? (size + 511n) / 512n : Math.ceil(size / 512)),
    atime: timespec(given.atime),
    mtime: timespec(given.mtime),
    ctime: timespec(given.ctime ?? given.mtime),
    mode: given.mode,
    nlink: given.nlink ?? (isDirectory(given) ? 2 : 1),
    uid: given.uid ?? process.getuid?.() ?? 0,
    gid: given.gid ?? process.getgid?.() ?? 0,
    rdev: given.rdev ?? 0,
    blksize: 4096,
    flags: 0
  }
}
