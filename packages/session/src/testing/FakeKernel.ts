/**
 * The kernel's part of the FUSE protocol, for tests: a filesystem is driven through the whole session,
 * over a socketpair, with no `/dev/fuse` and no privileges.
 *
 * ```ts
 * const { kernel, session } = yield* FakeKernel.serve(backend)
 * yield* kernel.init()
 * const content = yield* kernel.readFile("/hello")
 * const entry = yield* kernel.call({ op: "lookup", nodeid: 1, name: "hello" })
 * ```
 */
import { close, type FuseHandle, makeDeviceTransport, pipe_pair, read_frame, select_read, socketpair, type TransportError, write_frame } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ErrnoError } from "../errno.ts"
import { errnoError } from "../errno.ts"
import { protocolVersion } from "@bickford/protocol"
import type { InitReply, Notification, ReplyOf, Request, U64, Version } from "@bickford/protocol"
import { decodeNotification, decodeReply, encodeRequest, hasFlag, isDecodeError, isEncodeError } from "@bickford/protocol/codec"
import { type BackendSource, make as makeSession, type SessionOptions } from "../Session.ts"
import type { FakeKernelError, RequestInput } from "./kernelRequests.ts"
import { type PathCalls, pathCalls } from "./PathCalls.ts"

export type { FakeKernelError, RequestInput } from "./kernelRequests.ts"
export type { PathCalls } from "./PathCalls.ts"

/** A reply as it came: the errno (0 for success) and the whole frame. */
export interface RawReply {
  readonly error: number
  readonly frame: Uint8Array
}

/** Plays the kernel's part towards a session: frame by frame, or call by call of a program (`readFile` and the like). */
export interface FakeKernel extends PathCalls {
  /** Sends INIT with everything on offer (or what is given) and awaits the server's answer. */
  readonly init: (offer?: { readonly minor?: number; readonly flags?: number; readonly flags2?: number; readonly maxReadahead?: number }) => Effect.Effect<InitReply, ErrnoError | FakeKernelError>
  /** Sends a request and returns its `unique` at once. */
  readonly send: (request: RequestInput) => Effect.Effect<U64, FakeKernelError>
  /** Awaits the reply to a request that was sent. */
  readonly reply: (unique: U64) => Effect.Effect<RawReply, FakeKernelError>
  /** Sends a request and decodes its reply; an error reply fails with its errno. */
  readonly call: <R extends RequestInput & { readonly op: keyof ReplyOf }>(request: R) => Effect.Effect<ReplyOf[R["op"]], ErrnoError | FakeKernelError>
  /** Sends bytes as they are. */
  readonly sendRaw: (frame: Uint8Array) => Effect.Effect<void, FakeKernelError>
  /** As a signal to the caller does: INTERRUPT for a request that was sent. */
  readonly interrupt: (unique: U64) => Effect.Effect<void, FakeKernelError>
  /** Drops lookups of a node; no reply. */
  readonly forget: (nodeid: U64, nlookup: U64) => Effect.Effect<void, FakeKernelError>
  /** The notifications received so far. */
  readonly notifications: () => ReadonlyArray<Notification>
  /** Replies received that nobody was owed: `unique`s that were unknown or had been answered. A right server leaves it empty. */
  readonly unexpected: () => ReadonlyArray<RawReply>
  /** Hangs up, as an unmount does. */
  readonly close: Effect.Effect<void>
}

const frameCapacity = (1 << 20) + 4096

const fault = (message: string): FakeKernelError => ({ _tag: "FakeKernelError", message })

/** Plays the kernel on `handle`, one end of a socketpair; or on two pipes, writing to `write`. */
export const make = Effect.fnUntraced(function*(handle: FuseHandle, write: FuseHandle = handle) {
  const waiting = new Map<U64, Deferred.Deferred<RawReply, FakeKernelError>>()
  const sent = new Map<U64, Request>()
  const notifications: Array<Notification> = []
  const unexpected: Array<RawReply> = []
  const answered = new Set<U64>()
  let nextUnique = 2
  let negotiated: Version | undefined
  let agreed: InitReply | undefined
  let hungUp: FakeKernelError | undefined

  const end = (error: FakeKernelError): void => {
    hungUp ??= error
    for (const deferred of waiting.values()) Deferred.doneUnsafe(deferred, Effect.fail(error))
  }

  const receive = (frame: Uint8Array): void => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const error = view.getInt32(4, true)
    const raw = view.getBigUint64(8, true)
    const unique = raw <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(raw) : raw
    if (unique === 0) {
      const notification = decodeNotification(frame)
      if (isDecodeError(notification)) end(fault(notification.message))
      else notifications.push(notification)
      return
    }
    const deferred = waiting.get(unique)
    if (deferred === undefined) {
      unexpected.push({ error: 0 - error, frame })
      return
    }
    if (answered.has(unique)) unexpected.push({ error: 0 - error, frame })
    answered.add(unique)
    Deferred.doneUnsafe(deferred, Effect.succeed({ error: 0 - error, frame }))
  }

  const buffer = new Uint8Array(2 * frameCapacity)
  const bufferView = new DataView(buffer.buffer)
  let filled = 0
  /** A pipe brings parts of frames, or several at once. */
  const takeFrames = (): void => {
    let at = 0
    while (filled - at >= 4) {
      const length = bufferView.getUint32(at, true)
      if (length < 16 || length > frameCapacity) {
        end(fault(`the server sent a frame of ${length} bytes`))
        return
      }
      if (length > filled - at) break
      receive(buffer.slice(at, at + length))
      at += length
    }
    buffer.copyWithin(0, at, filled)
    filled -= at
  }
  /** What the server has sent, as soon as there is any: what waits already comes without a turn of the event loop. */
  const next: Effect.Effect<Uint8Array, TransportError> = read_frame(handle, { bound: frameCapacity }).pipe(
    Effect.catchTag("EAGAIN", () => Effect.andThen(select_read(handle), next))
  )
  yield* Effect.forkScoped(
    Effect.gen(function*() {
      for (;;) {
        const bytes = yield* next
        if (bytes.length === 0) return end(fault("the server hung up"))
        buffer.set(bytes, filled)
        filled += bytes.length
        takeFrames()
        if (hungUp !== undefined) return
      }
    }).pipe(Effect.catch((error) => Effect.sync(() => end(fault(`reading from the server failed: ${error.message}`)))))
  )

  const sendRaw = (frame: Uint8Array): Effect.Effect<void, FakeKernelError> =>
    Effect.suspend(() => {
      if (hungUp !== undefined) return Effect.fail(hungUp)
      // Whatever a test wants to send.
      return write_frame(write, frame, { bound: Math.max(1, frame.length) }).pipe(Effect.mapError((error) => fault(`writing to the server failed: ${error.message}`)))
    })

  /** Fills the header and writes the frame. */
  const post = (input: RequestInput): Effect.Effect<Request, FakeKernelError> =>
    Effect.suspend(() => {
      const unique = input.unique ?? nextUnique
      if (input.unique === undefined) nextUnique += 2
      // The input lacks at most the header's fields, which are put in here.
      const request = { nodeid: 1, uid: 0, gid: 0, pid: process.pid, ...input, unique } as Request
      const frame = encodeRequest(request, negotiated)
      if (isEncodeError(frame)) return Effect.fail(fault(frame.message))
      return Effect.as(sendRaw(frame), request)
    })

  const send = (input: RequestInput): Effect.Effect<U64, FakeKernelError> =>
    Effect.suspend(() => {
      const unique = input.unique ?? nextUnique
      // Before the frame is written: the reply may be there at once.
      waiting.set(unique, Deferred.makeUnsafe())
      return Effect.map(post(input), (request) => {
        sent.set(request.unique, request)
        return request.unique
      })
    })

  const reply = (unique: U64): Effect.Effect<RawReply, FakeKernelError> =>
    Effect.suspend(() => {
      const deferred = waiting.get(unique)
      return deferred === undefined ? Effect.fail(fault(`no reply is owed to ${unique}`)) : Deferred.await(deferred)
    })

  const call = <R extends RequestInput & { readonly op: keyof ReplyOf }>(input: R): Effect.Effect<ReplyOf[R["op"]], ErrnoError | FakeKernelError> =>
    Effect.gen(function*() {
      const unique = yield* send(input)
      const raw = yield* reply(unique)
      const request = sent.get(unique)
      sent.delete(unique)
      waiting.delete(unique)
      if (raw.error !== 0) return yield* Effect.fail(errnoError(raw.error))
      if (request === undefined) return yield* Effect.fail(fault(`request ${unique} was never sent`))
      const decoded = decodeReply(raw.frame, request)
      if (isDecodeError(decoded)) return yield* Effect.fail(fault(decoded.message))
      // The opcode table pairs the request's operation with the shape of its reply.
      const value: unknown = decoded.value
      return value as ReplyOf[R["op"]]
    })

  /** A request of no operation: the session refuses it by itself, after it has taken what came before. */
  const settled = Effect.suspend(() => {
    const unique = nextUnique
    nextUnique += 2
    waiting.set(unique, Deferred.makeUnsafe())
    const frame = new Uint8Array(40)
    const view = new DataView(frame.buffer)
    view.setUint32(0, frame.length, true)
    view.setUint32(4, 0xffff, true)
    view.setBigUint64(8, BigInt(unique), true)
    return sendRaw(frame).pipe(Effect.andThen(reply(unique)), Effect.andThen(Effect.sync(() => waiting.delete(unique))), Effect.asVoid)
  })

  const kernel: FakeKernel = {
    ...pathCalls({
      call,
      batchForget: (forgets) => Effect.asVoid(post({ op: "batchForget", nodeid: 0, pid: 0, forgets })),
      settled,
      agreed: () => agreed
    }),
    init: (offer) =>
      Effect.tap(call({
        op: "init",
        nodeid: 0,
        major: protocolVersion.major,
        minor: offer?.minor ?? protocolVersion.minor,
        maxReadahead: offer?.maxReadahead ?? 131072,
        flags: offer?.flags ?? 0x73fffffb,
        flags2: offer?.flags2 ?? 0x5fd
      }), (reply) =>
        Effect.sync(() => {
          agreed = reply
          negotiated = {
            minor: reply.minor,
            setxattrExt: hasFlag(reply, "FUSE_SETXATTR_EXT")
          }
        })),
    send,
    reply,
    call,
    sendRaw,
    interrupt: (unique) =>
      Effect.asVoid(post({ op: "interrupt", unique: typeof unique === "number" ? unique + 1 : unique | 1n, nodeid: 0, pid: 0, target: unique })),
    forget: (nodeid, nlookup) => Effect.asVoid(post({ op: "forget", nodeid, nlookup, pid: 0 })),
    notifications: () => notifications,
    unexpected: () => unexpected,
    close: Effect.suspend(() => Effect.andThen(close(handle), write === handle ? Effect.void : close(write)))
  }
  return kernel
})

/** As `serve`, over two pipes: a stream, as between processes that have nothing better. */
export const serveOverPipes = Effect.fnUntraced(function*(source: BackendSource, options?: SessionOptions) {
  const [requests, toServer] = yield* pipe_pair
  const [replies, fromServer] = yield* pipe_pair
  const kernel = yield* make(replies, toServer)
  const session = yield* makeSession(yield* makeDeviceTransport(requests, { write: fromServer }), source, options)
  return { kernel, session }
})

/** A session serving `source`, with a fake kernel at the other end of a socketpair. */
export const serve = Effect.fnUntraced(function*(source: BackendSource, options?: SessionOptions) {
  const [kernelEnd, serverEnd] = yield* socketpair({ type: "seqpacket" })
  const kernel = yield* make(kernelEnd)
  const session = yield* makeSession(yield* makeDeviceTransport(serverEnd), source, options)
  return { kernel, session }
})
