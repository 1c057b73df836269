/** COPY_FILE_RANGE: copies between two files of the filesystem, holes as holes (copy_file_range(2)). */
import type { U64 } from "@bickford/protocol"
import { add, fileSizeMax, min, subtract } from "@bickford/protocol/arithmetic"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { Bytes } from "./bytes.ts"
import { contentChanged, roomFor } from "./content.ts"
import type { Filesystem } from "./filesystem.ts"
import { type Inode, isRegular } from "./inode.ts"

/** Bytes of data that one COPY_FILE_RANGE copies at the most: others wait for it. */
const copyMax = 64 * 1024 * 1024
/** Bytes that are read and written in one go. */
const copyStep = 128 * 1024
/** As how many bytes of data a hole counts that is copied. */
const holeCost = 16 * 1024
/** A file with more blocks is given no longer hole than this in one go, which counts as more. */
const largeTarget = 16 * 1024
const largeTargetHole = 64 * 1024 * 1024
const largeTargetCost = copyMax / 4
/** What the 32-bit reply of COPY_FILE_RANGE can say. */
const narrowCopyMax = 0x7ffff000

/** Copies a hole of `length` bytes; returns how much of it was done, and as how many bytes of data it counts. */
const copyHole = (to: Bytes, destination: U64, length: U64): { readonly done: U64; readonly cost: number } => {
  // A hole stays one, except where it only covers a part of an allocated block.
  const large = to.blocks > largeTarget
  const hole = large ? min(length, largeTargetHole) : length
  to.punch(destination, add(destination, hole))
  return { done: hole, cost: large ? largeTargetCost : holeCost }
}

/** Copies `size` bytes of data for which there is room. */
const copyData = (from: Bytes, at: U64, to: Bytes, destination: U64, size: number): void => {
  let written = 0
  const views = from.read(at, size)
  for (const view of views instanceof Uint8Array ? [views] : views) {
    to.write(add(destination, written), view)
    written += view.length
  }
}

/** Copies what one request may copy of `length` bytes; returns how much, and why it stopped before the end. */
const copyRange = (fs: Filesystem, source: Inode, offIn: U64, target: Inode, offOut: U64, length: U64) => {
  const from = fs.bytes(source)
  const to = fs.bytes(target)
  let copied: U64 = 0
  let budget = copyMax
  let failure: typeof Errno.ENOSPC | typeof Errno.EDQUOT | undefined
  while (copied < length && budget > 0) {
    const at = add(offIn, copied)
    const destination = add(offOut, copied)
    const left = subtract(length, copied)
    const data = from.data(at)
    if (data === undefined || data > at) {
      const hole = copyHole(to, destination, data === undefined ? left : min(left, subtract(data, at)))
      copied = add(copied, hole.done)
      budget -= hole.cost
      continue
    }
    const step = Number(min(min(left, budget), min(copyStep, subtract(from.hole(at, add(at, copyStep)), at))))
    // What a hole gave back may be needed here.
    fs.recount(target, to)
    const size = roomFor(fs, target, to, destination, step)
    if (typeof size !== "number") {
      failure = size
      break
    }
    copyData(from, at, to, destination, size)
    copied = add(copied, size)
    budget -= size
  }
  fs.recount(target, to)
  return { copied, failure }
}

export const copyFileRange =
  (fs: Filesystem): NonNullable<Backend["copyFileRange"]> =>
  ({ len, nodeid, nodeidOut, offIn, offOut, wide }) => {
    const source = fs.node(nodeid)
    const target = fs.node(nodeidOut)
    if (source === undefined || target === undefined) return Errno.ESTALE
    if (!isRegular(source) || !isRegular(target)) return Errno.EINVAL
    if (offOut >= fileSizeMax && len > 0) return Errno.EFBIG
    if (offIn >= source.size || len <= 0) return Exit.succeed(0)
    const possible = min(min(len, subtract(source.size, offIn)), subtract(fileSizeMax, offOut))
    const length = wide ? possible : min(possible, narrowCopyMax)
    if (source === target && offIn < add(offOut, length) && offOut < add(offIn, length)) return Errno.EINVAL

    const { copied, failure } = copyRange(fs, source, offIn, target, offOut, length)
    if (copied === 0) return failure ?? Exit.succeed(0)
    const end = add(offOut, copied)
    if (end > target.size) target.size = end
    contentChanged(fs, target)
    return Exit.succeed(copied)
  }
