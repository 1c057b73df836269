/** Records of calls, for those who want to see some: each has a filter of its own. */
import { printableJson } from "@bickford/protocol"
import { type CallFilter, type Session, watchCalls } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { FromWorker } from "./messages.ts"
import { makePrograms } from "./programs.ts"

/** Records that may wait for the channel. */
const pendingMost = 1000

/** Milliseconds after which it is told how many were missed. */
const missedInterval = 500

export interface CallWatchers {
  /** Begins to watch, or, without a filter, ends that. */
  readonly watch: (watcher: number, filter: CallFilter | undefined) => void
}

/** `say` sends a message and calls back once the kernel has it; `textMost` is what it can take of a text (UTF-16 units). */
export const makeCallWatchers = (
  { connection }: Session.Session,
  say: (message: FromWorker, done: () => void) => void,
  textMost: number
): CallWatchers => {
  const scopes = new Map<number, Scope.Closeable>()
  const programOf = makePrograms()

  const begin = (watcher: number, filter: CallFilter): Scope.Closeable => {
    const scope = Scope.makeUnsafe()
    let pending = 0
    let missed = 0
    const tellMissed = (): void => {
      if (missed === 0 || pending >= pendingMost) return
      const count = missed
      missed = 0
      say({ type: "missed", watcher, count }, () => {})
    }
    const watching = Effect.gen(function* () {
      const timer = setInterval(tellMissed, missedInterval)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(timer)))
      yield* watchCalls(connection, filter, {
        missed: (count) => {
          missed += count
        },
        answered: (call) => {
          if (pending >= pendingMost) {
            missed++
            return
          }
          pending++
          programOf(call.pid, (program) => {
            const line = printableJson(program === undefined ? call : { ...call, program })
            if (line.length <= textMost) return say({ type: "call", watcher, line }, () => pending--)
            pending--
            missed++
          })
        }
      })
    })
    Effect.runFork(Scope.provide(watching, scope))
    return scope
  }

  return {
    watch: (watcher, filter) => {
      const former = scopes.get(watcher)
      if (former !== undefined) Effect.runFork(Scope.close(former, Exit.void))
      scopes.delete(watcher)
      if (filter !== undefined) scopes.set(watcher, begin(watcher, filter))
    }
  }
}
