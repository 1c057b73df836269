/** The calls of a mount that took long, and those that still wait. */
import type { SlowCall, StuckCall } from "../worker/messages.ts"

/** What is known of a mount's slow calls. */
export interface SlowCalls {
  /** The slowest of the last hour, the slowest first. */
  readonly slow: ReadonlyArray<SlowCall>
  /** Those that are not answered yet, the oldest first. */
  readonly stuck: ReadonlyArray<StuckCall>
}

/** How many are kept, and for how long (milliseconds). */
const kept = 50
const hour = 3_600_000

export class SlowCallTable {
  #slow: ReadonlyArray<{ readonly call: SlowCall; readonly heard: number }> = []
  #stuck: ReadonlyArray<StuckCall> = []
  readonly #now: () => number

  /** `now` gives the time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A call took long. */
  add(call: SlowCall): void {
    this.#slow = [...this.#recent(), { call, heard: this.#now() }]
      .sort((a, b) => b.call.microseconds - a.call.microseconds)
      .slice(0, kept)
  }

  /** Those that wait, as their worker tells of them; none when it has ended. */
  wait(calls: ReadonlyArray<StuckCall>): void {
    this.#stuck = calls
  }

  report(): SlowCalls {
    return { slow: this.#recent().map(({ call }) => call), stuck: this.#stuck }
  }

  #recent() {
    const now = this.#now()
    return this.#slow.filter(({ heard }) => now - heard < hour)
  }
}
