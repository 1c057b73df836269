/** What happened each second of the last five minutes, for the page's pictures: kept before anybody looks. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { latenciesSince, type Latencies } from "../metrics/latencies.ts"
import type { MountNumbers } from "../metrics/numbers.ts"

/** Of one second; bytes where they are. */
export interface Rates {
  readonly operations: number
  readonly errors: number
  readonly read: number
  readonly written: number
}

/** What is known of a mount now. */
interface Recent {
  readonly rates: Rates
  /** Of the calls of the last second; of all there were, when it had none. */
  readonly latencies: Latencies
}

export interface RateKeeper {
  readonly recent: (name: string) => Recent | undefined
  /** Operations a second, the oldest first; 300 at the most. */
  readonly history: (name: string) => ReadonlyArray<number>
  /** Calls `listener` after each second; returns what ends that. */
  readonly watch: (listener: () => void) => () => void
}

const remembered = 300

/** The numbers of each mount by its name. */
type Counts = () => ReadonlyMap<string, MountNumbers>

interface Kept {
  numbers: MountNumbers
  at: number
  rates: Rates
  before: MountNumbers
  /** A ring, `next` being the oldest. */
  readonly operations: Float32Array
  next: number
  filled: number
}

const nothing: Rates = { operations: 0, errors: 0, read: 0, written: 0 }

const begun = (numbers: MountNumbers, at: number): Kept => ({
  numbers,
  at,
  rates: nothing,
  before: numbers,
  operations: new Float32Array(remembered),
  next: 0,
  filled: 0
})

const advance = (kept: Kept, numbers: MountNumbers, at: number): void => {
  const seconds = Math.max(0.001, (at - kept.at) / 1000)
  const rate = (now: number, then: number): number => Math.max(0, now - then) / seconds
  const { numbers: then } = kept
  kept.rates = {
    operations: rate(numbers.requests, then.requests),
    errors: rate(numbers.errors, then.errors),
    read: rate(numbers.bytesRead, then.bytesRead),
    written: rate(numbers.bytesWritten, then.bytesWritten)
  }
  kept.before = then
  kept.numbers = numbers
  kept.at = at
  kept.operations[kept.next] = kept.rates.operations
  kept.next = (kept.next + 1) % remembered
  kept.filled = Math.min(remembered, kept.filled + 1)
}

/** Of all operations together. */
export const allLatencies = (numbers: MountNumbers): Latencies => {
  const sum: { [step: number]: number } = {}
  for (const { latencies } of Object.values(numbers.operations))
    for (const [step, count] of Object.entries(latencies)) sum[Number(step)] = (sum[Number(step)] ?? 0) + count
  return sum
}

const recentOf = ({ before, numbers, rates }: Kept): Recent => {
  const all = allLatencies(numbers)
  const latest = latenciesSince(all, allLatencies(before))
  return { rates, latencies: Object.keys(latest).length === 0 ? all : latest }
}

/** Looks at the counts once a second while the scope lasts. */
export const makeRateKeeper = (counts: Counts): Effect.Effect<RateKeeper, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const mounts = new Map<string, Kept>()
    const listeners = new Set<() => void>()
    const look = (): void => {
      const at = clock.currentTimeMillisUnsafe()
      const now = counts()
      for (const name of mounts.keys()) if (!now.has(name)) mounts.delete(name)
      for (const [name, numbers] of now) {
        const kept = mounts.get(name)
        if (kept === undefined) mounts.set(name, begun(numbers, at))
        else advance(kept, numbers, at)
      }
      for (const listener of listeners) listener()
    }
    yield* Effect.forkScoped(Effect.repeat(Effect.sync(look), Schedule.spaced("1 second")), { startImmediately: true })
    return {
      recent: (name) => {
        const kept = mounts.get(name)
        return kept === undefined ? undefined : recentOf(kept)
      },
      history: (name) => {
        const kept = mounts.get(name)
        if (kept === undefined) return []
        const { filled, next, operations } = kept
        return Array.from(
          { length: filled },
          (_, nth) => operations[(next - filled + nth + remembered) % remembered] ?? 0
        )
      },
      watch: (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      }
    }
  })
