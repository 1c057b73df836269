/** Looking at the calls of a live session. With no observer the hot path pays one comparison a call. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"

/** Who is told of each request and its reply. */
export interface Observer {
  /** A request was decoded and is about to be run. Its views are the request's: copy what is kept. */
  readonly received: (row: OpcodeRow, request: Request) => void
  /** Its reply was written: `errno` 0 or positive, `bytes` of the body, the node that it gave the kernel (0 for none). */
  readonly replied: (row: OpcodeRow, request: Request, errno: number, bytes: number, nodeid: U64) => void
}

/** What can be observed: a connection. */
export interface Observed {
  /** Told of every call; undefined when nobody wants to know, which then costs nothing. Changed by `observe` only. */
  observer: Observer | undefined
  readonly observers: Set<Observer>
  /** The isolates that serve its requests in place of this one, if there are: no observer is told of theirs. */
  readonly isolates?:
    | {
        /** How many serve now; 0 while this one serves by itself. */
        readonly serving: () => number
      }
    | undefined
}

const all = (observers: ReadonlySet<Observer>): Observer | undefined => {
  const every = Array.from(observers)
  const [first, second] = every
  if (first === undefined || second === undefined) return first
  // A mount of the daemon that is looked at has two; a loop over them costs a call several times as much.
  if (every.length === 2) {
    return {
      received: (row, request) => {
        first.received(row, request)
        second.received(row, request)
      },
      replied: (row, request, errno, bytes, nodeid) => {
        first.replied(row, request, errno, bytes, nodeid)
        second.replied(row, request, errno, bytes, nodeid)
      }
    }
  }
  return {
    received: (row, request) => {
      for (const observer of every) observer.received(row, request)
    },
    replied: (row, request, errno, bytes, nodeid) => {
      for (const observer of every) observer.replied(row, request, errno, bytes, nodeid)
    }
  }
}

/** What an observer throws goes to `threw`, and neither a call nor another observer hears of it. */
const guarded = (observer: Observer, threw: (defect: unknown) => void): Observer => ({
  received: (row, request) => {
    try {
      observer.received(row, request)
    } catch (defect) {
      threw(defect)
    }
  },
  replied: (row, request, errno, bytes, nodeid) => {
    try {
      observer.replied(row, request, errno, bytes, nodeid)
    } catch (defect) {
      threw(defect)
    }
  }
})

/** Says so where an observer will be told of nothing. */
const warnOfIsolates = ({ isolates }: Observed): Effect.Effect<void> =>
  Effect.suspend(() => {
    const serving = isolates?.serving() ?? 0
    return serving === 0
      ? Effect.void
      : Effect.logWarning(
          `an observer is told of no request of this mount: ${serving} isolates serve it; mount it with threads: 1`
        )
  })

/**
 * Has `observer` told of every call while the scope lasts. One that throws is told of the next calls all the same. Of the requests that
 * several isolates serve (`threads`, a backend that is `shared`) no observer is told: a line in the log says so.
 */
export const observe = (connection: Observed, observer: Observer): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.context<never>(), (context) => {
    const run = Effect.runForkWith(context)
    const told = guarded(observer, (defect) =>
      run(Effect.logError("an observer failed with a defect", Cause.die(defect)))
    )
    return Effect.andThen(
      warnOfIsolates(connection),
      Effect.acquireRelease(
        Effect.sync(() => {
          connection.observers.add(told)
          connection.observer = all(connection.observers)
        }),
        () =>
          Effect.sync(() => {
            connection.observers.delete(told)
            connection.observer = all(connection.observers)
          })
      )
    )
  })
