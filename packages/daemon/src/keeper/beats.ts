/** Signs of life, and their absence. */
import { sleepAndTell } from "@bickford/supervisor"
import * as Effect from "effect/Effect"

export interface Beats {
  readonly heard: () => void
  /**
   * Waits until nothing was heard for `limit` milliseconds in which this process itself ran: what was sent while it
   * was stopped is heard first, and a silence before that is not held against anybody.
   */
  readonly silence: (limit: number) => Effect.Effect<void>
}

export const makeBeats = (): Beats => {
  let count = 0
  return {
    heard: () => {
      count++
    },
    silence: Effect.fnUntraced(function* (limit: number) {
      let known = count
      let silent = 0
      while (silent < limit) {
        const { counted, late } = yield* sleepAndTell(Math.min(limit / 4, limit - silent))
        silent = known === count && !late ? silent + counted : 0
        known = count
      }
    })
  }
}
