/** A backend's start without a mount. */
import { protocolVersion } from "@bickford/protocol"
import { encodeRequest, isEncodeError } from "@bickford/protocol/codec"
import { type BackendSource, embedFrames, type Session } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** INIT as Linux 6.18 sends it: everything is on offer. */
const init = {
  op: "init",
  unique: 2,
  nodeid: 0,
  uid: 0,
  gid: 0,
  pid: 0,
  ...protocolVersion,
  maxReadahead: 131_072,
  flags: 0x73ff_fffb,
  flags2: 0x5fd
} as const

/** Acquires the backend, agrees on INIT with it, and lets it go again; fails as a mount of it would. */
export const openOnce = (source: BackendSource, options: Session.SessionOptions): Effect.Effect<void, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { process, session } = yield* embedFrames(source, () => {}, options).pipe(
        // The person is to read what the backend failed with, not which child of a supervisor that was.
        Effect.catchTag("SupervisorError", (error) => Effect.failCause<unknown>(error.failure ?? Cause.fail(error)))
      )
      const frame = encodeRequest(init)
      if (isEncodeError(frame)) return yield* Effect.fail(frame)
      process(frame)
      yield* session.negotiated
    })
  )
