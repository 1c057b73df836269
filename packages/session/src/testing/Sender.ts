/** What a fake kernel sends, and how it awaits the answers. */
import type { ReplyOf, Request, U64, Version } from "@bickford/protocol"
import { decodeReply, encodeRequest, isDecodeError, isEncodeError, structs } from "@bickford/protocol/codec"
import { type FuseHandle, write_frame } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { type ErrnoError, errnoError } from "../errno.ts"
import type { RequestInput } from "../calls/KernelSide.ts"
import { type FakeKernelError, fault } from "./FakeKernelError.ts"
import type { RawReply, ReceivedFrames } from "./ReceivedFrames.ts"

const { inHeader } = structs
/** No operation has this opcode. */
const noOpcode = 0xffff

export class Sender {
  /** What INIT agreed on of the form of requests; undefined before. */
  negotiated: Version | undefined
  readonly #write: FuseHandle
  readonly #received: ReceivedFrames
  readonly #sent = new Map<U64, Request>()
  #nextUnique = 2

  constructor(write: FuseHandle, received: ReceivedFrames) {
    this.#write = write
    this.#received = received
  }

  #unique(): number {
    const unique = this.#nextUnique
    this.#nextUnique += 2
    return unique
  }

  /** Sends bytes as they are. */
  readonly sendRaw = (frame: Uint8Array): Effect.Effect<void, FakeKernelError> =>
    Effect.suspend(() => {
      if (this.#received.hungUp !== undefined) return Effect.fail(this.#received.hungUp)
      // Whatever a test wants to send.
      return write_frame(this.#write, frame, { bound: Math.max(1, frame.length) }).pipe(
        Effect.mapError((error) => fault(`writing to the server failed: ${error.message}`))
      )
    })

  /** Fills the header of a request that awaits no reply, and writes the frame. */
  readonly post = (input: RequestInput): Effect.Effect<Request, FakeKernelError> =>
    Effect.suspend(() => {
      const unique = input.unique ?? this.#unique()
      // The input lacks at most the header's fields, which are put in here.
      const request = { nodeid: 1, uid: 0, gid: 0, pid: process.pid, ...input, unique } as Request
      const frame = encodeRequest(request, this.negotiated)
      if (isEncodeError(frame)) return Effect.fail(fault(frame.message))
      return Effect.as(this.sendRaw(frame), request)
    })

  /** Sends a request that awaits a reply, and returns its `unique` at once. */
  readonly send = (input: RequestInput): Effect.Effect<U64, FakeKernelError> =>
    Effect.suspend(() => {
      const unique = input.unique ?? this.#unique()
      // Before the frame is written: the reply may be there at once.
      this.#received.expect(unique)
      return Effect.map(this.post({ ...input, unique }), (request) => {
        this.#sent.set(request.unique, request)
        return request.unique
      })
    })

  /** Awaits the reply to a request that was sent. */
  readonly reply = (unique: U64): Effect.Effect<RawReply, FakeKernelError> =>
    Effect.suspend(() => this.#received.reply(unique))

  /** Sends a request, awaits its reply and decodes it. */
  readonly call = <R extends RequestInput & { readonly op: keyof ReplyOf }>(
    input: R
  ): Effect.Effect<ReplyOf[R["op"]], ErrnoError | FakeKernelError> =>
    Effect.flatMap(this.send(input), (unique) =>
      Effect.flatMap(this.reply(unique), (raw) => this.#decoded<R>(unique, raw))
    )

  #decoded<R extends RequestInput & { readonly op: keyof ReplyOf }>(
    unique: U64,
    raw: RawReply
  ): Effect.Effect<ReplyOf[R["op"]], ErrnoError | FakeKernelError> {
    const request = this.#sent.get(unique)
    this.#sent.delete(unique)
    this.#received.done(unique)
    if (raw.error !== 0) return Effect.fail(errnoError(raw.error))
    if (request === undefined) return Effect.fail(fault(`request ${unique} was never sent`))
    const decoded = decodeReply(raw.frame, request)
    if (isDecodeError(decoded)) return Effect.fail(fault(decoded.message))
    // The opcode table pairs the request's operation with the shape of its reply.
    const value: unknown = decoded.value
    return Effect.succeed(value as ReplyOf[R["op"]])
  }

  /** Sends a request of no operation, which the session refuses by itself after it has taken what came before. */
  readonly settled: Effect.Effect<void, FakeKernelError> = Effect.suspend(() => {
    const unique = this.#unique()
    this.#received.expect(unique)
    const frame = new Uint8Array(inHeader.bytes)
    const view = new DataView(frame.buffer)
    view.setUint32(inHeader.len, frame.length, true)
    view.setUint32(inHeader.opcode, noOpcode, true)
    view.setBigUint64(inHeader.unique, BigInt(unique), true)
    return this.sendRaw(frame).pipe(
      Effect.andThen(this.reply(unique)),
      Effect.andThen(Effect.sync(() => this.#received.done(unique)))
    )
  })
}
