/** A backend that is used without a mount: by the program that has it, beside a mount of it or in place of one. */
import { type PathChange, type SharedBackend, shareBackend } from "@bickford/backends"
import { type AsyncBackend, type Backend, type BackendSource, Local, type Session } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** A filesystem that several faces of one program show. `await using` closes it. */
export interface Shared extends AsyncDisposable {
  /** To be mounted, by `mount`; the mount's kernel is told of what the faces change. */
  readonly backend: Backend
  /** The session that serves the faces: its counters, and what it holds. */
  readonly session: Session.Session
  /** The calls that the faces are made of. */
  readonly calls: Local.LocalCalls
  /** Runs a call that must be answered at once, or fails with EAGAIN: what it changes a mount's kernel learns a moment later. */
  readonly atOnce: <A, E>(call: Effect.Effect<A, E>) => Exit.Exit<A, E>
  /** Calls `listener` after each change of whichever side; returns how to end that. Undefined where the backend does not know its files' paths. */
  readonly watch: ((listener: (change: PathChange) => void) => () => void) | undefined
  /** Ends it: a mount must be gone before. Resolves when the backend's `destroy` has run. */
  readonly close: () => Promise<void>
}

const acquire = (source: BackendSource): Effect.Effect<AsyncBackend, unknown, Scope.Scope> =>
  Effect.isEffect(source) ? source : Effect.succeed(source)

/** The rules for this process: its ids and groups. */
const callerOf = (): Local.Caller => ({
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
  groups: process.getgroups?.() ?? []
})

const makeShared = (source: BackendSource) =>
  Effect.gen(function* () {
    const backend = yield* acquire(source)
    const shared: SharedBackend = shareBackend(backend)
    yield* Effect.addFinalizer(() => shared.end)
    if (backend.run !== undefined) yield* Effect.forkScoped(backend.run)
    let waits = true
    const kernel = yield* Local.localKernel(shared.view({ uncached: true, waits: () => waits }))
    const calls = Local.localCalls({ kernel, rules: Local.rulesFor(kernel, callerOf()) })
    return {
      backend: shared.view(),
      session: kernel.session,
      calls,
      watch: shared.watch,
      atOnce: <A, E>(call: Effect.Effect<A, E>): Exit.Exit<A, E> => {
        waits = false
        try {
          return Effect.runSyncExit(call)
        } finally {
          waits = true
        }
      }
    }
  })

/**
 * Serves `source` to the program itself: `toFs`, `toVfs`, `toEffect` and `toJustBash` make faces of it, and its `backend` can
 * be mounted at the same time. All of them work on one filesystem, in one order of operations, with the permissions of the process.
 * Rejects with what the backend could not be opened for.
 */
export const share = async (source: BackendSource): Promise<Shared> => {
  const scope = await Effect.runPromise(Scope.make())
  const closeScope = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  const exit = await Effect.runPromiseExit(Scope.provide(makeShared(source), scope))
  if (Exit.isFailure(exit)) {
    await closeScope()
    throw Cause.squash(exit.cause)
  }
  return { ...exit.value, close: closeScope, [Symbol.asyncDispose]: closeScope }
}
