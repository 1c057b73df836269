/** The isolates that serve a connection. */
import type { Negotiated } from "@bickford/protocol"
import type { ChildSpec, SupervisorError } from "@bickford/supervisor"
import type { Slot, TransportError } from "@bickford/transport"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** An isolate could not start, or has ended. */
export class IsolateError extends Data.TaggedError("IsolateError")<{
  /** What has failed. */
  readonly message: string
  /** The tag of what failed in the thread. */
  readonly reason: string
}> {}

/** The isolates could not all be started. */
export type IsolatesError = IsolateError | TransportError | SupervisorError

/** The isolates that serve a connection, as its coordinator knows them. */
export interface Isolates {
  /** How many are planned. */
  readonly count: number
  /** How many serve now: less while one is started again, 0 where this isolate serves. */
  readonly serving: () => number
  /** Whether a thread waits that can take the place of the next that ends at once. */
  readonly hasSpare: () => boolean
  /** Whether they serve what the backend of the moment is, rather than this isolate. */
  readonly areWanted: () => boolean
  /** Has them serve the connection, whose INIT has been answered. Fails when one cannot: then none does, ever. */
  readonly begin: (negotiated: Negotiated) => Effect.Effect<void, IsolatesError>
  /** Told of each frame that comes by the device. */
  readonly sees: (slot: Slot) => void
  /** The child of the session that they run in. */
  readonly child: ChildSpec<unknown, never>
}
