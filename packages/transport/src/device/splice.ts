/**
 * Replies that are spliced: bytes of files go from the page cache through a pipe to `/dev/fuse` and are copied once, by the
 * kernel, where they are copied twice by way of this process's memory.
 */
import type { DataPart } from "@bickford/protocol"
import { constants } from "node:os"
import type { DetachedRequest } from "../FrameTransport.ts"
import { outHeaderSize, setOutHeader } from "../headers.ts"
import { addon, type FuseHandle } from "../native.ts"
import { closePipe, openPipe, pageSize, type Pipe } from "./pipes.ts"

const { EAGAIN, EINVAL, ENOMEM } = constants.errno

/** For fewer bytes from files the two more calls for a pipe are not worth while; libfuse asks for two pages. */
const worthSplicing = 32 * 1024
/** Parts that one write takes. */
const maxParts = 64

/** Sends replies through pipes of its own. */
export interface Splicer {
  /**
   * Sends a reply: 0, or the negative errno that the device answered. Undefined when nothing was sent and the reply is to be
   * copied: it is small, a part has no offset or cannot be spliced, or there is no pipe with room for it.
   */
  readonly reply: (request: DetachedRequest, parts: ReadonlyArray<DataPart>) => number | undefined
  /** Closes the pipes. */
  readonly close: () => void
}

/** Pieces that parts take in a pipe, behind the header's: one more than whole pages, as a part may begin within one. */
const piecesOf = (parts: ReadonlyArray<DataPart>): number => {
  let pieces = 1
  for (const { length } of parts) pieces += Math.ceil(length / pageSize) + 1
  return pieces
}

/** Whether splicing is possible, and pays. */
const isWorthwhile = (parts: ReadonlyArray<DataPart>): boolean => {
  let inFiles = 0
  for (const part of parts) {
    if (part instanceof Uint8Array) continue
    // What a descriptor's position gives can be had once only, so there would be no second try by copying.
    if (part.offset === undefined) return false
    inFiles += part.length
  }
  return inFiles >= worthSplicing
}

/** A splicer to `device` for replies of up to `bytes`. `move`: SPLICE_F_MOVE. It opens two pipes when they are first needed. */
export const makeSplicer = (device: FuseHandle, bytes: number, move: boolean): Splicer => {
  const header = new Uint8Array(outHeaderSize)
  const view = new DataView(header.buffer)
  let pipes: readonly [Pipe, Pipe] | undefined
  let failed = false

  const open = (): readonly [Pipe, Pipe] | undefined => {
    if (pipes !== undefined || failed) return pipes
    const room = bytes + 4 * pageSize
    const first = openPipe(room)
    const second = first === undefined ? undefined : openPipe(room)
    if (first !== undefined && second !== undefined) return (pipes = [first, second])
    if (first !== undefined) closePipe(first)
    // No descriptors, or no room for this user (pipe-user-pages-soft): every reply is copied.
    failed = true
    return undefined
  }

  /** What was left in the pipes goes with them. */
  const close = (): void => {
    for (const pipe of pipes ?? []) closePipe(pipe)
    pipes = undefined
  }

  /** Puts header and parts into a pipe, as far as the first file that ends; their length, or undefined when that failed. */
  const fill = (pipe: Pipe, parts: ReadonlyArray<DataPart>): number | undefined => {
    let memory: Array<Uint8Array> = [header]
    let total = 0
    const flush = (): boolean => {
      if (memory.length === 0) return true
      const count = addon.write_frame(pipe.write, ...memory)
      memory = []
      total += count
      return count >= 0
    }
    for (const part of parts) {
      if (part instanceof Uint8Array) {
        if (memory.length === maxParts && !flush()) return undefined
        memory.push(part)
        continue
      }
      if (!flush()) return undefined
      const count = addon.splice_file(part.fd, part.offset ?? 0, pipe.write, part.length)
      if (count < 0) return undefined
      total += count
      if (count < part.length) return total
    }
    return flush() ? total : undefined
  }

  /** The header promises more than there is: puts another one before the data, which moves to a second pipe. */
  const shorten = (from: Pipe, to: Pipe, total: number, request: DetachedRequest): boolean => {
    if (addon.read_frame(from.read, header) !== outHeaderSize) return false
    setOutHeader(view, total, 0, request)
    if (addon.write_frame(to.write, header) !== outHeaderSize) return false
    for (let left = total - outHeaderSize; left > 0;) {
      const count = addon.splice_pipe(from.read, to.write, left, false)
      if (count <= 0) return false
      left -= count
    }
    return true
  }

  const reply = (request: DetachedRequest, parts: ReadonlyArray<DataPart>): number | undefined => {
    if (!isWorthwhile(parts)) return undefined
    const own = open()
    if (own === undefined) return undefined
    const [first, second] = own
    if (piecesOf(parts) > Math.min(first.slots, second.slots)) return undefined
    let promised = outHeaderSize
    for (const { length } of parts) promised += length
    setOutHeader(view, promised, 0, request)
    const total = fill(first, parts)
    const isShort = total !== undefined && total < promised
    if (total === undefined || (isShort && !shorten(first, second, total, request))) {
      close()
      return undefined
    }
    const sent = addon.splice_pipe((isShort ? second : first).read, device, total, move)
    if (sent === total) return 0
    close()
    // The device did not look at it.
    return sent === -EINVAL || sent === -ENOMEM || sent === -EAGAIN ? undefined : Math.min(sent, 0)
  }

  return { reply, close }
}
