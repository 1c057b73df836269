/**
 * What the dispatcher knows of a transport: frames arrive in slots, replies go back through them.
 *
 * A slot says where the parts of a request lie and where its reply may be encoded. On `/dev/fuse`
 * (and on pipes and sockets) a frame is one contiguous read; on an io_uring queue the header, the
 * first argument struct and the payload are separate. The dispatcher owns a slot from delivery until
 * `reply`, `replyData`, `release` or `detach`.
 */
import type { DataPart } from "@bickford/protocol"
import type { Frame, Memory } from "@bickford/protocol/codec"
import type * as Effect from "effect/Effect"
import type { TransportError } from "./errors.ts"
import type { PipedData } from "./device/PipedData.ts"
import type { RequestAnswerer } from "./ring/Ring.ts"

/**
 * One request in memory that stays put until the slot is given back: first the frame as read, then the area for the
 * reply. All offsets are into `bytes`; but for `end` they are of whole words.
 */
export interface Slot extends Frame, Memory {
  /** Offset where the reply's body may be encoded; the bytes of `struct fuse_out_header` before it are the transport's. */
  readonly body: number
  /** Bytes available from `body` on. */
  readonly bodyCapacity: number
}

/** A request whose slot was given back for reading; its reply is still owed. */
export interface DetachedRequest {
  /** `unique` of the request: low and high 32 bits, as read (bit 63 of a resend included). */
  readonly uniqueLow: number
  readonly uniqueHigh: number
}

/** Receives what the read loop reads. Called synchronously; it must not throw. */
export interface FrameSink {
  /** Takes a slot with a request in it. */
  readonly onFrame: (slot: Slot) => void
  /**
   * The reader is about to return to the event loop: nothing more is ready, or the batch is full. True when
   * replies were held until now: those who waited for them may have asked for more, so it looks once more.
   */
  readonly onBatchEnd: () => unknown
}

/**
 * Why reading ended. `unmounted` is ENODEV, `aborted` is ECONNABORTED, or ENODEV while the connection is mounted (which
 * Linux 6.18 tells), `closed` is the peer's end of file.
 */
export type TransportEnd = "unmounted" | "aborted" | "closed"

/** A connection's way over io_uring. */
export interface Rings {
  /**
   * Once INIT's answer, with FUSE_OVER_IO_URING, has been written: has the kernel deliver by the rings. Returns 0, or a negative
   * errno, and then the kernel delivers by the device as before.
   */
  readonly start: (agreed: { readonly maxWrite: number; readonly maxPages: number }) => number
  /** They are not needed: the flag was not agreed on. */
  readonly drop: () => void
  /** Other isolates of this process have rings for the queues. What comes by the device from now on is in no hurry. */
  readonly leave: () => void
  /** For those isolates: the connection's descriptor. */
  readonly device: () => number
  /** Requests that `answerer` answers come to no sink; undefined has all come. */
  readonly answerBy: (answerer: RequestAnswerer | undefined) => void
  /** Not every queue could be registered by the isolates that were to: has the kernel deliver by the device again. */
  readonly giveBack: () => void
}

/** Delivers frames in slots, and takes replies back through them. */
export interface FrameTransport {
  /** Largest frame a slot can hold, in bytes. */
  readonly frameCapacity: number
  /** Where the transport can serve the connection over io_uring too. */
  readonly rings?: Rings
  /** Slots that are free for reading now. */
  readonly freeSlots: () => number
  /**
   * The read loop: reads every ready frame in bounded batches on the environment's event loop and
   * hands each to `sink`. Ends when the connection does; stops reading when interrupted, losing
   * nothing: the next `run` continues on the same connection.
   */
  readonly run: (sink: FrameSink) => Effect.Effect<TransportEnd, TransportError>
  /** One non-blocking read of one frame, for a host program's own loop; undefined when none is ready. */
  readonly receive: () => Slot | TransportEnd | undefined
  /** Writes `error` (0, or a negative errno) and the body encoded at `slot.body`; gives the slot back. Returns 0 or a negative errno. */
  readonly reply: (slot: Slot, error: number, bodyLength: number) => number
  /** As `reply` with error 0, for a body that lies elsewhere: gathered, not concatenated. */
  readonly replyData: (slot: Slot, views: ReadonlyArray<Uint8Array>) => number
  /**
   * As `replyData`, for a body of which some lies in files. The reply ends where one of them does; a read that fails is
   * replied with its errno.
   */
  readonly replyParts: (slot: Slot, parts: ReadonlyArray<DataPart>) => number
  /** Gives the slot's memory back for reading while the reply is still owed. */
  readonly detach: (slot: Slot) => DetachedRequest
  /** Replies to a detached request: `error` 0 or a negative errno, then the body's parts. */
  readonly replyDetached: (request: DetachedRequest, error: number, views: ReadonlyArray<Uint8Array>) => number
  /** As `replyParts`, for a detached request. */
  readonly replyPartsDetached: (request: DetachedRequest, parts: ReadonlyArray<DataPart>) => number
  /** Keeps bytes of a frame beyond its request: returns memory that no later read will touch. */
  readonly takePayload: (slot: Slot, offset: number, length: number) => Uint8Array
  /**
   * Lends memory for the data of WRITEs that fill it: such a WRITE's slot has it as `apart`, the very array that
   * `memory` gave. It is asked again before each read that may go there, and never while a slot still has what it
   * gave last; so whoever keeps an array with what is in it gives another one next.
   */
  readonly lendMemory: (memory: (() => Uint8Array | undefined) | undefined) => void
  /**
   * Has the bytes of files in `replyParts` spliced to a device where that is possible and pays, with SPLICE_F_MOVE if so
   * said; undefined has them copied, as from the beginning. What the caller sees is the same.
   */
  readonly spliceReplies: (how: { readonly move: boolean } | undefined) => void
  /**
   * Has the data of large WRITEs left in pipes, where that is possible: `apart` of such a slot is where the data will lie, and
   * `pipedData` of that array has it. False reads what is still in pipes to there, and leaves nothing more in any. Absent
   * where frames come by no device. It takes the place of `lendMemory`.
   */
  readonly pipeWrites?: (wanted: boolean) => void
  /** What has the data that `memory` is for; undefined when it lies in memory, as ever. */
  readonly pipedData?: (memory: Uint8Array) => PipedData | undefined
  /** Gives back the slot of a request that has no reply. */
  readonly release: (slot: Slot) => void
  /**
   * Writes one complete notification frame, on a device by another thread: the kernel may have to wait for
   * requests that this one has yet to answer. Resolves to 0 or a negative errno (-ENOENT: not cached by the
   * kernel). The parts must stay as they are until then.
   */
  readonly notify: (...parts: ReadonlyArray<Uint8Array>) => Promise<number>
  /**
   * As `notify`, by this thread, before it returns: only for what the kernel takes without waiting for anything. 0 or a
   * negative errno.
   */
  readonly notifyNow: (...parts: ReadonlyArray<Uint8Array>) => number
  /** FUSE_DEV_IOC_BACKING_OPEN: the id of an open file for the kernel's passthrough, or a negative errno. */
  readonly openBacking: (fd: number) => number
  /** FUSE_DEV_IOC_BACKING_CLOSE: 0 or a negative errno. */
  readonly closeBacking: (id: number) => number
  /** Sends replies that the transport may still hold (a ring's submissions); nothing to do on a device. */
  readonly flush: () => void
  /** Closes the connection's file descriptor. Idempotent. */
  readonly close: Effect.Effect<void>
}
