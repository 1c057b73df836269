/** Writes replies: out of slots, from elsewhere in memory, and from files. Each gives back its request's slot. */
import type { DataPart } from "@bickford/protocol"
import type { DetachedRequest, Slot } from "../FrameTransport.ts"
import { outHeaderSize, putOutHeader, requestOf, setOutHeader } from "../headers.ts"
import { addon, type FuseHandle } from "../native.ts"
import { partsLength, readParts } from "../parts.ts"
import type { Channel } from "./channel.ts"
import type { DeviceSlot } from "./DeviceSlot.ts"
import type { DeviceSlots } from "./DeviceSlots.ts"
import type { FrameReader } from "./FrameReader.ts"
import type { Outbox } from "./outbox.ts"
import type { ReadLoop } from "./ReadLoop.ts"
import { makeSplicer, type Splicer } from "./splice.ts"

/** Parts that one write_frame takes, less the header. */
const maxParts = 63
/** Up to so many bytes, copying a reply's body costs less than handing over where its parts lie. */
const worthCopying = 16 * 1024

/** What replies are written with. */
export interface ReplyWriterParts {
  /** Where replies go. */
  readonly handle: FuseHandle
  readonly channel: Channel
  /** Takes replies that the descriptor has no room for; undefined for a device, which has always room. */
  readonly outbox: Outbox | undefined
  /** Bytes of the largest frame. */
  readonly frameCapacity: number
  readonly slots: DeviceSlots
  readonly reader: FrameReader
  readonly loop: ReadLoop
}

const totalLength = (views: ReadonlyArray<Uint8Array>): number => {
  let total = 0
  for (const view of views) total += view.length
  return total
}

export class ReplyWriter {
  private readonly handle: FuseHandle
  private readonly channel: Channel
  private readonly outbox: Outbox | undefined
  private readonly frameCapacity: number
  private readonly slots: DeviceSlots
  private readonly reader: FrameReader
  private readonly loop: ReadLoop
  private splicer: Splicer | undefined
  private readonly smallHeader = new Uint8Array(outHeaderSize)
  private readonly smallHeaderView = new DataView(this.smallHeader.buffer)

  constructor({ channel, frameCapacity, handle, loop, outbox, reader, slots }: ReplyWriterParts) {
    this.handle = handle
    this.channel = channel
    this.outbox = outbox
    this.frameCapacity = frameCapacity
    this.slots = slots
    this.reader = reader
    this.loop = loop
  }

  reply = (slot: Slot, error: number, bodyLength: number): number => {
    const own = slot as DeviceSlot
    const length = error === 0 ? outHeaderSize + bodyLength : outHeaderSize
    const at = own.body - outHeaderSize
    putOutHeader(own, length, error)
    if (this.loop.readsAhead && this.reader.canReadWithReply) return this.reader.replyAndReadNext(own, at, length)
    const result =
      this.outbox === undefined
        ? this.channel.write(own.memory, at, length)
        : this.outbox.write([own.bytes.subarray(at, at + length)])
    this.slots.giveBack(own)
    return result < 0 ? result : 0
  }

  replyData = (slot: Slot, views: ReadonlyArray<Uint8Array>): number => {
    const own = slot as DeviceSlot
    const length = totalLength(views)
    if (length <= worthCopying && length <= own.bodyCapacity) {
      let at = own.body
      for (const view of views) {
        own.bytes.set(view, at)
        at += view.length
      }
      return this.reply(slot, 0, length)
    }
    putOutHeader(own, outHeaderSize + length, 0)
    if (this.loop.readsAhead && this.reader.canReadWithReply && views.length <= maxParts)
      return this.reader.replyAndReadNext(own, own.body - outHeaderSize, outHeaderSize, views)
    const result = this.write(own.outHeader, views)
    this.slots.giveBack(own)
    return result
  }

  replyParts = (slot: Slot, parts: ReadonlyArray<DataPart>): number => {
    const own = slot as DeviceSlot
    const spliced = this.splicer?.reply(requestOf(own), parts)
    if (spliced !== undefined) {
      this.slots.giveBack(own)
      return spliced
    }
    const length = partsLength(parts)
    if (length <= own.bodyCapacity) {
      const count = readParts(parts, own.bytes, own.body)
      return this.reply(slot, Math.min(count, 0), Math.max(count, 0))
    }
    // The request has been read out of the slot: all of its memory can hold the reply.
    const result = this.writeFromParts(own, requestOf(own), parts, length)
    this.slots.giveBack(own)
    return result
  }

  replyDetached = (request: DetachedRequest, error: number, views: ReadonlyArray<Uint8Array>): number => {
    const length = error === 0 ? outHeaderSize + totalLength(views) : outHeaderSize
    setOutHeader(this.smallHeaderView, length, error, request)
    return this.write(this.smallHeader, error === 0 ? views : [])
  }

  replyPartsDetached = (request: DetachedRequest, parts: ReadonlyArray<DataPart>): number =>
    this.splicer?.reply(request, parts) ?? this.writeFromParts(this.slots.spare(), request, parts, partsLength(parts))

  spliceReplies = (how: { readonly move: boolean } | undefined): void => {
    this.splicer?.close()
    this.splicer =
      how === undefined || this.outbox !== undefined
        ? undefined
        : makeSplicer(this.handle, this.frameCapacity, how.move)
  }

  /** Puts a reply together in a slot's memory, which is resident; where there is none, or not enough of it, memory of the moment has to do. */
  private writeFromParts(
    spare: DeviceSlot | undefined,
    request: DetachedRequest,
    parts: ReadonlyArray<DataPart>,
    length: number
  ): number {
    const bytes =
      spare !== undefined && outHeaderSize + length <= spare.bytes.length
        ? spare.bytes
        : new Uint8Array(outHeaderSize + length)
    const count = readParts(parts, bytes, outHeaderSize)
    const total = outHeaderSize + Math.max(count, 0)
    setOutHeader(new DataView(bytes.buffer, bytes.byteOffset, outHeaderSize), total, Math.min(count, 0), request)
    return this.write(bytes.subarray(0, total), [])
  }

  private write(header: Uint8Array, views: ReadonlyArray<Uint8Array>): number {
    if (this.outbox !== undefined) return this.outbox.write([header, ...views])
    const [first] = views
    let result: number
    if (first === undefined) result = addon.write_frame(this.handle, header)
    else if (views.length === 1) result = addon.write_frame(this.handle, header, first)
    else if (views.length <= maxParts) result = addon.write_frame(this.handle, header, ...views)
    else result = addon.write_frame(this.handle, header, Buffer.concat(views))
    return result < 0 ? result : 0
  }
}
