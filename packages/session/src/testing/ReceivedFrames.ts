/** What a server has sent to a fake kernel: replies, each for the request that awaits it, and notifications. */
import { type Notification, type U64 } from "@bickford/protocol"
import { decodeNotification, getU64, isDecodeError, structs } from "@bickford/protocol/codec"
import { type FuseHandle, read_frame, select_read, type TransportError } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type FakeKernelError, fault } from "./FakeKernelError.ts"

/** A reply as it came: the errno (0 for success) and the whole frame. */
export interface RawReply {
  readonly error: number
  readonly frame: Uint8Array
}

/** The longest frame that a server may send. */
const frameCapacity = (1 << 20) + 4096

const { outHeader } = structs

export class ReceivedFrames {
  readonly notifications: Array<Notification> = []
  /** Replies to nobody, or to somebody a second time. */
  readonly unexpected: Array<RawReply> = []
  /** Why nothing more comes; undefined while the connection lives. */
  hungUp: FakeKernelError | undefined
  readonly #waiting = new Map<U64, Deferred.Deferred<RawReply, FakeKernelError>>()
  readonly #answered = new Set<U64>()
  readonly #buffer = new Uint8Array(2 * frameCapacity)
  readonly #view = new DataView(this.#buffer.buffer)
  #filled = 0

  /** A reply to `unique` is awaited from now on. */
  expect(unique: U64): void {
    this.#waiting.set(unique, Deferred.makeUnsafe())
  }

  /** The reply to `unique` has been taken. */
  done(unique: U64): void {
    this.#waiting.delete(unique)
  }

  /** Awaits the reply to `unique`. */
  reply(unique: U64): Effect.Effect<RawReply, FakeKernelError> {
    const deferred = this.#waiting.get(unique)
    return deferred === undefined ? Effect.fail(fault(`no reply is owed to ${unique}`)) : Deferred.await(deferred)
  }

  /** Fails all that is awaited. */
  end(error: FakeKernelError): void {
    this.hungUp ??= error
    for (const deferred of this.#waiting.values()) Deferred.doneUnsafe(deferred, Effect.fail(error))
  }

  /** Takes bytes as they came: a pipe brings parts of frames, or several at once. */
  take(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
    let at = 0
    while (this.#filled - at >= 4) {
      const length = this.#view.getUint32(at, true)
      if (length < outHeader.bytes || length > frameCapacity)
        return this.end(fault(`the server sent a frame of ${length} bytes`))
      if (length > this.#filled - at) break
      this.#receive(this.#buffer.slice(at, at + length))
      at += length
    }
    this.#buffer.copyWithin(0, at, this.#filled)
    this.#filled -= at
  }

  #receive(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const unique = getU64(view, outHeader.unique)
    if (unique === 0) {
      const notification = decodeNotification(frame)
      if (isDecodeError(notification)) this.end(fault(notification.message))
      else this.notifications.push(notification)
      return
    }
    const reply: RawReply = { error: 0 - view.getInt32(outHeader.error, true), frame }
    const deferred = this.#waiting.get(unique)
    if (deferred === undefined || this.#answered.has(unique)) this.unexpected.push(reply)
    if (deferred === undefined) return
    this.#answered.add(unique)
    Deferred.doneUnsafe(deferred, Effect.succeed(reply))
  }
}

/** Reads what the server sends until one of them hangs up. What waits already comes without a turn of the event loop. */
export const readFrames = (handle: FuseHandle, received: ReceivedFrames): Effect.Effect<void> => {
  const next: Effect.Effect<Uint8Array, TransportError> = read_frame(handle, { bound: frameCapacity }).pipe(
    Effect.catchTag("EAGAIN", () => Effect.andThen(select_read(handle), next))
  )
  return Effect.gen(function* () {
    while (received.hungUp === undefined) {
      const bytes = yield* next
      if (bytes.length === 0) return received.end(fault("the server hung up"))
      received.take(bytes)
    }
  }).pipe(
    Effect.catch((error) => Effect.sync(() => received.end(fault(`reading from the server failed: ${error.message}`))))
  )
}
