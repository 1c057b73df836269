/** Calls of a backend's own that no caller waits for: what they throw is a defect, but nobody's EIO. */
import type { ConnectionCounters } from "../connection/counters.ts"
import type { Diagnostics } from "../Diagnostics.ts"

/** Runs `call`; what it throws is counted and logged as `what`'s. */
export type Guard = (what: string, call: () => void) => void

export const makeGuard = (counters: ConnectionCounters, diagnostics: Diagnostics): Guard => (what, call) => {
  try {
    call()
  } catch (defect) {
    counters.defects++
    diagnostics.threw(what, defect)
  }
}
