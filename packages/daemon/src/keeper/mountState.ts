/** The states of a kept mount, as a table: which event takes it from which state to which. */
import type { MountState } from "../control/StatusReport.ts"

/**
 * - `begin`: a worker is to be started.
 * - `serving`: the worker has answered INIT, or took over from the one before it.
 * - `drain`: the worker was told to leave what it does to the next one.
 * - `workerEnded`: the worker's process is gone, or could not be started.
 * - `unmounted`: the mount is over as it was meant to be.
 * - `gaveUp`: restarts went past the intensity.
 */
export type MountEvent = "begin" | "serving" | "drain" | "workerEnded" | "unmounted" | "gaveUp"

const over = { unmounted: "stopped", gaveUp: "failed" } as const

/** What is absent changes nothing: a worker may say that it serves after it was told to drain. */
const transitions: { readonly [State in MountState]: { readonly [Event in MountEvent]?: MountState } } = {
  starting: { ...over, begin: "starting", serving: "running", workerEnded: "backoff" },
  running: { ...over, drain: "draining", workerEnded: "backoff" },
  draining: { ...over, begin: "starting", workerEnded: "backoff" },
  backoff: { ...over, begin: "starting" },
  stopped: { begin: "starting" },
  failed: { begin: "starting" }
}

/** Returns the state that `event` leads to, which is `state` itself where the event has no place. */
export const nextState = (state: MountState, event: MountEvent): MountState => transitions[state][event] ?? state
