/** What a kept mount has been through: its state, its restarts and their causes, its worker's numbers. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { MountState } from "../control/StatusReport.ts"
import { addNumbers, type MountNumbers, noNumbers } from "../metrics/numbers.ts"
import { type MountEvent, nextState } from "./mountState.ts"

/** The part of a mount's status that this file keeps. Times are milliseconds since the epoch. */
interface Progress extends MountNumbers {
  readonly state: MountState
  /** When the worker of now was started. */
  readonly since: number
  /** Restarts that were not asked for. */
  readonly restarts: number
  readonly lastCause?: string
  readonly history: ReadonlyArray<{ readonly at: number; readonly cause: string }>
}

export interface MountProgress {
  readonly state: () => MountState
  readonly lastCause: () => string | undefined
  readonly report: () => Progress
  readonly happened: (event: MountEvent) => void
  /** Waits until the mount is in one of these states, and returns which. */
  readonly awaitState: (wanted: ReadonlyArray<MountState>) => Effect.Effect<MountState>
  /** A worker is started now, which has served nothing yet. */
  readonly workerStarted: () => void
  /** What the worker of now has counted since it started. */
  readonly counted: (numbers: MountNumbers) => void
  /** Keeps why a worker, or the mount, ended. */
  readonly endedBecause: (cause: string) => void
  /** A worker died of `cause`, and another one is due. */
  readonly died: (cause: string) => void
  /** The restart that was due is not done, since there were too many. */
  readonly gaveUp: (cause: string) => void
}

/** How many causes are kept. */
const historyLimit = 20

/** The progress of a mount that begins. */
export const makeMountProgress: Effect.Effect<MountProgress> = Effect.map(Clock.Clock, (clock) => {
  const now = () => clock.currentTimeMillisUnsafe()
  const waiters = new Set<() => void>()
  // Counters do not begin anew with a worker: what its predecessors counted is kept, but for what each had not yet told.
  let former: MountNumbers = noNumbers
  let current: MountNumbers = noNumbers
  let progress: Progress = { ...noNumbers, state: "starting", since: now(), restarts: 0, history: [] }

  const change = (changed: Partial<Progress>): void => {
    progress = { ...progress, ...changed }
  }

  const happened = (event: MountEvent): void => {
    change({ state: nextState(progress.state, event) })
    for (const waiter of Array.from(waiters)) waiter()
  }

  const endedBecause = (cause: string): void =>
    change({ lastCause: cause, history: [...progress.history, { at: now(), cause }].slice(-historyLimit) })

  return {
    state: () => progress.state,
    lastCause: () => progress.lastCause,
    report: () => progress,
    happened,
    awaitState: (wanted) =>
      Effect.callback<MountState>((resume) => {
        const look = () => {
          if (!wanted.includes(progress.state)) return
          waiters.delete(look)
          resume(Effect.succeed(progress.state))
        }
        waiters.add(look)
        look()
        return Effect.sync(() => waiters.delete(look))
      }),
    workerStarted: () => {
      former = addNumbers(former, current)
      current = noNumbers
      change({ ...addNumbers(former, current), since: now() })
    },
    counted: (numbers) => {
      current = numbers
      change(addNumbers(former, current))
    },
    endedBecause,
    died: (cause) => {
      endedBecause(cause)
      change({ restarts: progress.restarts + 1 })
      happened("workerEnded")
    },
    gaveUp: (cause) => {
      change({ restarts: progress.restarts - 1, lastCause: cause })
      happened("gaveUp")
    }
  }
})
