/** What a backend is asked, and what it answers. */
import type { Request } from "@bickford/protocol"
import { type AsyncBackend, type Backend, isErrnoError } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { mapAnswer, mapOperations } from "./operations.ts"
import { makePathTracker } from "./pathTracker.ts"

/** One operation that has ended. */
export interface LogEntry {
  readonly operation: Request["op"]
  /** From the mount's root, as far as it is known; two of a rename or link. */
  readonly paths: ReadonlyArray<string>
  readonly request: Request
  /** `ok`, the errno's name, `defect` or `interrupted`. */
  readonly outcome: string
  readonly milliseconds: number
}

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "Some" && isErrnoError(error.value)) return error.value._tag
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "defect"
}

/** `backend`; `log` is called at the end of each operation. */
export const withLog = (backend: AsyncBackend, log: (entry: LogEntry) => void): Backend => {
  const tracker = makePathTracker()
  const logged = mapOperations(backend, (operation, run) => (request, context) => {
    const began = performance.now()
    const paths = tracker.pathsOf(request)
    const ended = (exit: Exit.Exit<unknown, unknown>): void =>
      log({ operation, paths, request, outcome: outcomeOf(exit), milliseconds: performance.now() - began })
    let answer: Effect.Effect<unknown, unknown>
    try {
      answer = mapAnswer(run(request, context), (value) => tracker.learn(request, value))
    } catch (defect) {
      answer = Exit.die(defect)
    }
    if (!Exit.isExit(answer)) return Effect.onExit(answer, (exit) => Effect.sync(() => ended(exit)))
    ended(answer)
    return answer
  })
  const { forget } = logged
  return {
    ...logged,
    forget: (nodeid, nlookup, left) => {
      if (!(left > 0)) tracker.forget(nodeid)
      forget?.(nodeid, nlookup, left)
    }
  }
}
