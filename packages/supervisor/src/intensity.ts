/** OTP's restart intensity: how many restarts a sliding window of time may hold. */
import type { RestartRecord } from "./errors.ts"

export interface Intensity {
  /** Adds a restart, at `elapsed` milliseconds of the monotonic clock, and says whether the window now holds too many. */
  readonly exceeded: (restart: RestartRecord, elapsed: number) => boolean
  /** The restarts in the window, oldest first. */
  readonly history: () => ReadonlyArray<RestartRecord>
}

/** A restart that is `windowMillis` old still counts, as in OTP. */
export const makeIntensity = (maxRestarts: number, windowMillis: number): Intensity => {
  let restarts: Array<{ readonly record: RestartRecord; readonly elapsed: number }> = []
  return {
    exceeded: (record, elapsed) => {
      // Nothing can exceed an infinite limit, and its history would only grow.
      if (maxRestarts === Infinity) return false
      restarts = restarts.filter((earlier) => earlier.elapsed >= elapsed - windowMillis)
      restarts.push({ record, elapsed })
      return restarts.length > maxRestarts
    },
    history: () => restarts.map(({ record }) => record)
  }
}
