/** From what a callback says of a file to what the kernel is told. */
import type { Attr, Timespec, U64 } from "@bickford/protocol"
import { S_IFDIR, S_IFMT, S_IFREG } from "../posix/linux.ts"
import type { PathAttributes, Time } from "./callbacks.ts"
import { inoOf, type PathNode } from "./node.ts"

const epoch: Timespec = { sec: 0, nsec: 0 }

const timespec = (time: Time | undefined): Timespec => {
  if (time === undefined) return epoch
  if (typeof time === "object" && !(time instanceof Date)) return time
  const seconds = typeof time === "number" ? time : time.getTime() / 1000
  const sec = Math.floor(seconds)
  return { sec, nsec: Math.min(999_999_999, Math.round((seconds - sec) * 1e9)) }
}

const blockSize = 4096
/** Blocks that are full, in units of 512 bytes. */
const blocksOf = (size: U64): U64 =>
  typeof size === "bigint" ? ((size + BigInt(blockSize - 1)) / BigInt(blockSize)) * 8n : Math.ceil(size / blockSize) * 8

/** Whether the kernel can rely on the size; else it must ask for every byte (FOPEN_DIRECT_IO). */
export const hasSize = (attributes: PathAttributes): boolean =>
  attributes.size !== undefined || (attributes.mode & S_IFMT) !== S_IFREG

export const attrOf = (node: PathNode, given: PathAttributes): Attr => {
  const size = given.size ?? 0
  const nlink = given.nlink ?? ((given.mode & S_IFMT) === S_IFDIR ? 2 : 1)
  return {
    ino: inoOf(given) ?? node.id,
    size,
    blocks: given.blocks ?? blocksOf(size),
    atime: timespec(given.atime),
    mtime: timespec(given.mtime),
    ctime: timespec(given.ctime ?? given.mtime),
    mode: given.mode,
    // A hidden name is none that the kernel knows of.
    nlink: node.removedBy !== undefined && nlink > 0 ? nlink - 1 : nlink,
    uid: given.uid ?? process.getuid?.() ?? 0,
    gid: given.gid ?? process.getgid?.() ?? 0,
    rdev: given.rdev ?? 0,
    blksize: blockSize,
    flags: 0
  }
}
