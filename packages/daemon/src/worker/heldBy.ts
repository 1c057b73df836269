/** What a session's connection holds. */
import type { Session } from "@bickford/session"
import type { HeldNumbers } from "./counters.ts"

/** Nothing before there is a session. */
export const heldBy = (session: Session.Session | undefined): HeldNumbers => ({
  inFlight: session?.connection.inFlight.size ?? 0,
  nodes: session?.connection.nodes.size ?? 0,
  handles: session?.connection.handles.size ?? 0,
  passthroughFiles: session?.connection.counters.passthroughFiles ?? 0
})
