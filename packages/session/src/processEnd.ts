/**
 * Mounts whose process ends: none is left behind dead.
 *
 * A process has one set of listeners for all of its mounts, and none while nothing is mounted. What the program does
 * about a signal is the program's: where it listens for one itself, only `exit` takes the mounts away
 * (docs/decisions/0017).
 */
import { printable } from "@bickford/protocol"
import { abortConnection, type AbortTarget, detachAtEnd, detachNow } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { detach } from "./detach.ts"

const signals: ReadonlyArray<NodeJS.Signals> = ["SIGINT", "SIGTERM", "SIGHUP"]

/** A mount, as the end of its process sees it. */
export interface EndingMount {
  /** Unmounts in order, while still serving, and waits for the end. */
  leave: Effect.Effect<void>
  /** To be called when mount(2) waits for INIT's answer: the connection is there, and no mount yet. */
  readonly begin: (place: AbortTarget) => void
  /** To be called when it is mounted, or cannot be. */
  readonly settle: (place: AbortTarget | undefined) => void
  /** To be called when it has ended: the process's end is nothing to it any more. */
  readonly over: () => void
}

interface Registered {
  readonly leave: () => Effect.Effect<void>
  readonly place: () => AbortTarget | undefined
}

const registered = new Set<Registered>()

/** The signal that ends the process as soon as the mounts are gone. */
let endedBy: NodeJS.Signals | undefined

/** Takes away whatever is still mounted, without waiting for anybody. */
const detachAll = (): void => {
  for (const { place } of registered) {
    const at = place()
    const failure = at === undefined ? undefined : detachNow(at)
    if (failure !== undefined)
      console.error(printable(`${at?.mountpoint}: left mounted at the end of its process: ${failure.message}`))
  }
  registered.clear()
}

const isCounting = (value: unknown): value is { readonly count: number } =>
  typeof value === "object" && value !== null && "count" in value && typeof value.count === "number"

/**
 * The listeners of the package signal-exit, which many others load. They do nothing while anybody else listens, as
 * ours do: were they taken for the program's own, nobody would do anything. Versions 4 and 3 count themselves here.
 */
const signalExitListeners = (): number => {
  const emitters: ReadonlyArray<unknown> = [
    Reflect.get(globalThis, Symbol.for("signal-exit emitter")),
    Reflect.get(process, "__signal_exit_emitter__")
  ]
  return emitters.reduce<number>((sum, emitter) => (isCounting(emitter) ? sum + emitter.count : sum), 0)
}

const programListens = (signal: NodeJS.Signals): boolean => process.listenerCount(signal) > 1 + signalExitListeners()

/** Lets the signal do what it does without us. */
const raise = (signal: NodeJS.Signals): void => {
  endedBy = undefined
  detachAll()
  ignore()
  process.kill(process.pid, signal)
}

const onSignal = (signal: NodeJS.Signals): void => {
  if (endedBy !== undefined) return raise(endedBy)
  if (programListens(signal)) return
  endedBy = signal
  const leaving = Effect.forEach(Array.from(registered), ({ leave }) => leave(), {
    concurrency: "unbounded",
    discard: true
  })
  Effect.runFork(leaving).addObserver(() => {
    // A second signal was faster.
    if (endedBy !== undefined) raise(endedBy)
  })
}

const onExit = (): void => {
  if (endedBy === undefined) detachAll()
  else raise(endedBy)
}

/** First of all listeners: one of the program's that was added with `once` is gone when the later ones are called. */
const listen = (): void => {
  for (const signal of signals) process.prependListener(signal, onSignal)
  process.prependListener("exit", onExit)
}

const ignore = (): void => {
  for (const signal of signals) process.off(signal, onSignal)
  process.off("exit", onExit)
}

const add = (mount: Registered): void => {
  if (registered.size === 0) listen()
  registered.add(mount)
}

const remove = (mount: Registered): void => {
  // While a signal waits for the mounts, the next one is still to be heard.
  if (registered.delete(mount) && registered.size === 0 && endedBy === undefined) ignore()
}

/** A mount about to be made. While the scope lasts, if `unmountOnExit`, the end of the process takes it away. */
export const endingMount = (unmountOnExit: boolean): Effect.Effect<EndingMount, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const settled = yield* Deferred.make<void>()
    let place: AbortTarget | undefined
    /** It may never be settled until its connection is aborted. */
    let begun: AbortTarget | undefined
    const ending: EndingMount = {
      leave: Effect.suspend(() => (begun === undefined ? Effect.void : Effect.ignore(abortConnection(begun)))).pipe(
        Effect.andThen(Deferred.await(settled)),
        Effect.andThen(Effect.suspend(() => (place === undefined ? Effect.void : detach(place))))
      ),
      begin: (at) => {
        place = begun = at
      },
      settle: (at) => {
        begun = undefined
        place = at
        if (unmountOnExit && at !== undefined) detachAtEnd(at)
        Deferred.doneUnsafe(settled, Exit.void)
      },
      over: () => remove(entry)
    }
    const entry: Registered = { leave: () => Effect.provideContext(ending.leave, context), place: () => place }
    if (unmountOnExit)
      yield* Effect.acquireRelease(
        Effect.sync(() => add(entry)),
        () => Effect.sync(ending.over)
      )
    return ending
  })
