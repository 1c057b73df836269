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
import {
  close,
  type FuseHandle,
  makeDeviceTransport,
  makeRingTransportOver,
  pipe_pair,
  socketpair
} from "@bickford/transport"
import * as Effect from "effect/Effect"
import type { ErrnoError } from "../errno.ts"
import { protocolVersion } from "@bickford/protocol"
import type { InitReply, Notification, ReplyOf, U64 } from "@bickford/protocol"
import { hasFlag } from "@bickford/protocol/codec"
import { type BackendSource, make as makeSession, type Session, type SessionOptions } from "../Session.ts"
import type { RequestInput } from "../calls/KernelSide.ts"
import { type PathCalls as GeneralPathCalls, pathCalls } from "../calls/PathCalls.ts"
import { type FakeKernelError, fault } from "./FakeKernelError.ts"
import { type FakeRingOptions, makeFakeRing } from "./FakeRing.ts"
import { type RawReply, ReceivedFrames, readFrames } from "./ReceivedFrames.ts"
import { Sender } from "./Sender.ts"

export type { RequestInput } from "../calls/KernelSide.ts"
export { FakeKernelError } from "./FakeKernelError.ts"
export type { RawReply } from "./ReceivedFrames.ts"

/** The calls of a program on a server that a fake kernel drives. */
export type PathCalls = GeneralPathCalls<FakeKernelError>

/** The mask that the kernel says it applied. */
const callersUmask = 0o022

/** Plays the kernel's part towards a session: frame by frame, or call by call of a program (`readFile` and the like). */
export interface FakeKernel extends PathCalls {
  /** Sends INIT with everything on offer (or what is given) and awaits the server's answer. */
  readonly init: (offer?: {
    readonly minor?: number
    readonly flags?: number
    readonly flags2?: number
    readonly maxReadahead?: number
  }) => Effect.Effect<InitReply, ErrnoError | FakeKernelError>
  /** Sends a request and returns its `unique` at once. */
  readonly send: (request: RequestInput) => Effect.Effect<U64, FakeKernelError>
  /** Awaits the reply to a request that was sent. */
  readonly reply: (unique: U64) => Effect.Effect<RawReply, FakeKernelError>
  /** Sends a request and decodes its reply; an error reply fails with its errno. */
  readonly call: <R extends RequestInput & { readonly op: keyof ReplyOf }>(
    request: R
  ) => Effect.Effect<ReplyOf[R["op"]], ErrnoError | FakeKernelError>
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

/** Plays the kernel on `handle`, one end of a socketpair; or on two pipes, writing to `write`. */
export const make = Effect.fnUntraced(function* (handle: FuseHandle, write: FuseHandle = handle) {
  const received = new ReceivedFrames()
  const sender = new Sender(write, received)
  yield* Effect.forkScoped(readFrames(handle, received))
  const { call, post, reply, send, sendRaw } = sender
  let agreed: InitReply | undefined
  const kernel: FakeKernel = {
    ...pathCalls({
      call,
      batchForget: (forgets) => Effect.asVoid(post({ op: "batchForget", nodeid: 0, pid: 0, forgets })),
      settled: sender.settled,
      agreed: () => agreed,
      ready: Effect.suspend(() =>
        agreed === undefined
          ? Effect.fail(fault("nothing is served before INIT: call kernel.init() first"))
          : Effect.void
      ),
      umask: () => callersUmask
    }),
    init: (offer) =>
      Effect.tap(
        call({
          op: "init",
          nodeid: 0,
          major: protocolVersion.major,
          minor: offer?.minor ?? protocolVersion.minor,
          maxReadahead: offer?.maxReadahead ?? 131072,
          flags: offer?.flags ?? 0x73fffffb,
          flags2: offer?.flags2 ?? 0x7fd
        }),
        (reply) =>
          Effect.sync(() => {
            agreed = reply
            sender.negotiated = { minor: reply.minor, setxattrExt: hasFlag(reply, "FUSE_SETXATTR_EXT") }
          })
      ),
    send,
    reply,
    call,
    sendRaw,
    interrupt: (unique) =>
      Effect.asVoid(
        post({
          op: "interrupt",
          unique: typeof unique === "number" ? unique + 1 : unique | 1n,
          nodeid: 0,
          pid: 0,
          target: unique
        })
      ),
    forget: (nodeid, nlookup) => Effect.asVoid(post({ op: "forget", nodeid, nlookup, pid: 0 })),
    notifications: () => received.notifications,
    unexpected: () => received.unexpected,
    close: Effect.suspend(() => Effect.andThen(close(handle), write === handle ? Effect.void : close(write)))
  }
  return kernel
})

/** As `serve`, over two pipes: a stream, as between processes that have nothing better. */
export const serveOverPipes = Effect.fnUntraced(function* (source: BackendSource, options?: SessionOptions) {
  const [requests, toServer] = yield* pipe_pair
  const [replies, fromServer] = yield* pipe_pair
  const kernel = yield* make(replies, toServer)
  const session = yield* makeSession(yield* makeDeviceTransport(requests, { write: fromServer }), source, options)
  return { kernel, session }
})

/** A session serving `source`, with a fake kernel at the other end of a socketpair. */
export const serve = Effect.fnUntraced(function* (source: BackendSource, options?: SessionOptions) {
  const [kernelEnd, serverEnd] = yield* socketpair({ type: "seqpacket" })
  const kernel = yield* make(kernelEnd)
  const session = yield* makeSession(yield* makeDeviceTransport(serverEnd), source, options)
  return { kernel, session }
})

/**
 * As `serve`, with FUSE over io_uring as the kernel does it from INIT on. `rung` tells how many requests have come by the ring.
 */
export const serveOverRing = Effect.fnUntraced(function* (
  source: BackendSource,
  options?: SessionOptions,
  like?: FakeRingOptions
) {
  const [kernelEnd, relayed] = yield* socketpair({ type: "seqpacket" })
  const [device, serverEnd] = yield* socketpair({ type: "seqpacket" })
  const kernel = yield* make(kernelEnd)
  const fake = makeFakeRing(relayed, device, like)
  yield* Effect.forkScoped(fake.relay)
  const transport = yield* makeRingTransportOver(serverEnd, fake.ring, { pace: 0 })
  const session = yield* makeSession(transport, source, options)
  const served: {
    kernel: FakeKernel
    session: Session
    /** Requests that have come by the ring. */ rung: () => number
  } = {
    kernel,
    session,
    rung: fake.delivered
  }
  return served
})
