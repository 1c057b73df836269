/** Calls of a backend's own that no caller waits for: what they throw or reject with is a defect, but nobody's EIO. */
import type { ConnectionCounters } from "../connection/counters.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { isThenable } from "./promises.ts"

/** Runs `call`; what it throws is counted and logged as `what`'s. So is what it rejects with, if it is `async`: nobody else would hear of it. */
export type Guard = (what: string, call: () => unknown) => void

export const makeGuard =
  (counters: ConnectionCounters, diagnostics: Diagnostics): Guard =>
  (what, call) => {
    const threw = (defect: unknown): void => {
      counters.defects++
      diagnostics.threw(what, defect)
    }
    try {
      const result = call()
      if (isThenable(result)) Promise.resolve(result).then(undefined, threw)
    } catch (defect) {
      threw(defect)
    }
  }
