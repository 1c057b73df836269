/** The headers of requests and replies: what a transport itself reads and writes of a frame. */
import { structs } from "@bickford/protocol/codec"
import type { DetachedRequest, Slot } from "./FrameTransport.ts"

// Copies, which V8 makes part of the machine code.
const request = { ...structs.inHeader }
const answer = { ...structs.outHeader }

/** Bytes of `struct fuse_in_header`. */
export const inHeaderSize = request.bytes
/** Bytes of `struct fuse_out_header`. */
export const outHeaderSize = answer.bytes
/** Bytes of `struct fuse_write_in`. */
export const writeInSize = structs.writeIn.bytes

/** Returns what a reply needs of the request in `slot`. */
export const requestOf = ({ header, view }: Slot): DetachedRequest => ({
  uniqueLow: view.getUint32(header + request.unique, true),
  uniqueHigh: view.getUint32(header + request.unique + 4, true)
})

/** Writes `struct fuse_out_header` to the beginning of `view`. `length` is the whole frame's; `error` is 0 or a negative errno. */
export const setOutHeader = (
  view: DataView,
  length: number,
  error: number,
  { uniqueHigh, uniqueLow }: DetachedRequest
): void => {
  view.setUint32(answer.len, length, true)
  view.setInt32(answer.error, error, true)
  view.setUint32(answer.unique, uniqueLow, true)
  view.setUint32(answer.unique + 4, uniqueHigh, true)
}

/** As `setOutHeader`, right before the slot's body, for the request in the slot. */
export const putOutHeader = (slot: Slot, length: number, error: number): void => {
  const { words } = slot
  const from = (slot.header + request.unique) >> 2
  const at = (slot.body - outHeaderSize) >> 2
  words[at + (answer.len >> 2)] = length
  words[at + (answer.error >> 2)] = error
  words[at + (answer.unique >> 2)] = words[from] ?? 0
  words[at + (answer.unique >> 2) + 1] = words[from + 1] ?? 0
}

/** As `putOutHeader`, over the request's own header, whose `unique` lies where the reply's does. */
export const putOutHeaderInPlace = ({ header, words }: Slot, length: number, error: number): void => {
  const at = header >> 2
  words[at + (answer.len >> 2)] = length
  words[at + (answer.error >> 2)] = error
}
