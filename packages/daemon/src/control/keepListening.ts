/** A listener at a Unix socket's path that is there again when the path was removed: what it is asked by is all that it has. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { lstatSync } from "node:fs"

/** How often the path is looked at. */
const interval = "2 seconds"

/** Also when the directories that lead there are gone. Another daemon's socket in its place is left to that. */
const isMissing = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) === undefined

/** Listens until the scope closes, by `listen`, which makes what lies at `path`; by `restore`, too, when that was removed. */
export const keepListening = <E extends { readonly message: string }>(
  path: string,
  listen: Effect.Effect<void, E, Scope.Scope>,
  restore: Effect.Effect<void, E>
): Effect.Effect<void, E, Scope.Scope> =>
  Effect.gen(function* () {
    let current: Scope.Closeable | undefined
    let complained = false
    const close = Effect.suspend(() => {
      const closing = current
      current = undefined
      return closing === undefined ? Effect.void : Scope.close(closing, Exit.void)
    })
    const open = Effect.gen(function* () {
      current = yield* Scope.make()
      yield* Scope.provide(listen, current)
    })
    yield* Effect.addFinalizer(() => close)
    yield* open
    const renew = close.pipe(
      // Before, since a listener that ends removes what lies at its path.
      Effect.andThen(restore),
      Effect.andThen(open),
      Effect.andThen(Effect.logWarning(`${path} was removed; it is made anew`)),
      Effect.andThen(Effect.sync(() => void (complained = false))),
      Effect.catch((error) => {
        if (complained) return Effect.void
        complained = true
        return Effect.logError(`${path} was removed, and cannot be made anew yet: ${error.message}`)
      })
    )
    const look = Effect.suspend(() => (isMissing(path) ? Effect.uninterruptible(renew) : Effect.void))
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(interval)))
  })
