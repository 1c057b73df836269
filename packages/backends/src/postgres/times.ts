/** The times that an operation reads: the same each time that it runs, however often it has to run again. */
import type { Timespec } from "@bickford/protocol"

export interface Times {
  readonly now: () => Timespec
  /** Has `now` give the times that were read before, in their order, and keep those that it reads. */
  readonly again: (read: Array<Timespec>) => void
  /** The operation at hand has ended. */
  readonly end: () => void
}

export const makeTimes = (clock: () => Timespec): Times => {
  let known: Array<Timespec> | undefined
  let next = 0
  return {
    now: () => {
      if (known === undefined) return clock()
      return (known[next++] ??= clock())
    },
    again: (read) => {
      known = read
      next = 0
    },
    end: () => {
      known = undefined
    }
  }
}
