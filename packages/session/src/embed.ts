/**
 * A session in a program's own event loop: nothing is read unless the program reads it.
 *
 * As libfuse's `fuse_session_fd`, `fuse_session_receive_buf`, `fuse_session_process_buf`,
 * `fuse_session_exit`, `fuse_session_exited` and `fuse_session_reset`; and, for programs with no descriptor at all (libfuse's
 * `custom_io`), frames in and out as bytes.
 */
import {
  fd,
  type FrameTransport,
  type FuseHandle,
  frameCapacityFor,
  makeBufferTransport,
  makeDeviceTransport,
  type Slot,
  type TransportEnd,
  type TransportError
} from "@bickford/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connectionSink } from "./connection/Connection.ts"
import type { OptionError } from "./options.ts"
import { withinRequestLimit } from "./requestLimit.ts"
import type { SupervisorError } from "@bickford/supervisor"
import { type BackendSource, make, type Session, type SessionOptions } from "./Session.ts"

/** A session whose descriptor the program reads itself. */
export interface EmbeddedSession {
  readonly session: Session
  /** The descriptor's number, to be waited for; undefined once it is closed. */
  readonly fd: () => number | undefined
  /** One non-blocking read: a request, to be given to `process`; undefined when none is ready; or why there is no more. */
  readonly receive: () => Slot | TransportEnd | "exited" | undefined
  /** Serves a request. Its reply is written when it is there, which may be later. */
  readonly process: (request: Slot) => void
  /** Tells the loop to end: nothing is received any more. What was received is answered; closing the scope ends the session. */
  readonly exit: () => void
  /** Whether the loop is to end: it was told to, or the connection has ended. */
  readonly exited: () => boolean
  /** Takes `exit` back: the loop can go on, unless the connection has ended. */
  readonly reset: () => void
}

/** `transport`, but what is read is what the program reads. */
const hosted = (transport: FrameTransport) => {
  let finish: ((end: TransportEnd) => void) | undefined
  let ended: TransportEnd | undefined
  const own: FrameTransport = {
    ...transport,
    frameCapacity: transport.frameCapacity,
    close: transport.close,
    run: () =>
      Effect.callback((resume) => {
        finish = (end) => resume(Effect.succeed(end))
        if (ended !== undefined) finish(ended)
        return Effect.sync(() => {
          finish = undefined
        })
      })
  }
  return {
    own,
    end: (reason: TransportEnd): void => {
      ended ??= reason
      finish?.(ended)
    },
    ended: (): TransportEnd | undefined => ended
  }
}

/** Serves `backend` on a mounted device (or a pipe or socket in its place) that the program reads itself. */
export const embed = (
  handle: FuseHandle,
  backend: BackendSource,
  options?: SessionOptions
): Effect.Effect<EmbeddedSession, TransportError | OptionError | SupervisorError, Scope.Scope> =>
  Effect.gen(function* () {
    const within = yield* withinRequestLimit(options ?? {})
    const transport = yield* makeDeviceTransport(handle, { frameCapacity: frameCapacityFor(within.maxWrite) })
    const { end, ended, own } = hosted(transport)
    const session = yield* make(own, backend, within)
    const sink = connectionSink(session.connection)
    let exited = false
    return {
      session,
      fd: () => fd(handle),
      receive: () => {
        const over = ended()
        if (over !== undefined) return over
        if (exited) return "exited"
        const received = transport.receive()
        if (typeof received === "string") end(received)
        return received
      },
      process: (request) => {
        sink.onFrame(request)
        sink.onBatchEnd()
      },
      exit: () => {
        exited = true
      },
      exited: () => exited || ended() !== undefined,
      reset: () => {
        exited = false
      }
    }
  })

/** A session whose frames the program carries itself. */
export interface FrameSession {
  readonly session: Session
  /** Serves one frame, as a kernel sends it. What it gives, if it has a reply, goes to `write`; false when the session has ended. */
  readonly process: (frame: Uint8Array) => boolean
  /** The peer has hung up. */
  readonly exit: () => void
}

/** Serves `backend` to frames that the program carries itself; `write` is given each reply and notification. */
export const embedFrames = (
  backend: BackendSource,
  write: (frame: Uint8Array) => void,
  options?: SessionOptions
): Effect.Effect<FrameSession, OptionError | SupervisorError, Scope.Scope> =>
  Effect.gen(function* () {
    const transport = makeBufferTransport(write)
    const session = yield* make(transport, backend, options)
    return { session, process: transport.deliver, exit: () => transport.hangUp("closed") }
  })
