/** Children whose every run a test can end, and a record of what the supervisor did to them. */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ChildError, ChildSpec, Supervisor, TreeNode } from "../src/index.ts"

type Spec = Omit<ChildSpec<unknown, never>, "id" | "init" | "start">

/** `+a`: a run of `a` began, `-a`: its scope was closed. */
export interface Probe {
  readonly log: Array<string>
  /** What has happened since this was last asked. */
  readonly taken: () => string
  readonly spec: (id: string, spec?: Spec) => ChildSpec<unknown, never>
  /** Ends the present run of a child; false if there is none. */
  readonly finish: (id: string, exit: Exit.Exit<unknown, unknown>) => boolean
  /** Makes the next `init`s of a child fail. */
  readonly failInit: (id: string, times: number) => void
  /** How many runs have begun and are not released. */
  readonly open: () => number
}

export const makeProbe = (): Probe => {
  const log: Array<string> = []
  const running = new Map<string, Deferred.Deferred<unknown, unknown>>()
  const failures = new Map<string, number>()
  let open = 0
  const init = (id: string): Effect.Effect<void, unknown, Scope.Scope> =>
    Effect.suspend(() => {
      const left = failures.get(id) ?? 0
      if (left > 0) {
        failures.set(id, left - 1)
        log.push(`!${id}`)
        return Effect.fail(`${id} does not start`)
      }
      return Effect.acquireRelease(
        Effect.sync(() => {
          log.push(`+${id}`)
          open++
          running.set(id, Deferred.makeUnsafe())
        }),
        () =>
          Effect.sync(() => {
            log.push(`-${id}`)
            open--
            running.delete(id)
          })
      )
    })
  return {
    log,
    taken: () => log.splice(0).join(" "),
    spec: (id, spec = {}) => ({
      ...spec,
      id,
      init: init(id),
      start: Effect.suspend(() => Deferred.await(running.get(id) ?? Deferred.makeUnsafe<unknown, unknown>()))
    }),
    finish: (id, exit) => {
      const run = running.get(id)
      return run !== undefined && Deferred.doneUnsafe(run, exit)
    },
    failInit: (id, times) => {
      failures.set(id, times)
    },
    open: () => open
  }
}

export const failure = Exit.fail("broken")

/** Returns when the supervisor has handled what lay before it, failed starts tried again included. */
export const settled = Effect.fnUntraced(function* (supervisor: Supervisor) {
  for (let round = 0; round < 8; round++) {
    yield* Effect.flip(supervisor.terminateChild("no such child"))
    yield* Effect.yieldNow
  }
})

/** What a child last failed with, as a value. */
export const failureOf = (cause: Cause.Cause<unknown> | undefined): unknown =>
  cause === undefined ? undefined : Option.getOrUndefined(Exit.findErrorOption(Exit.failCause(cause)))

export const child = (tree: TreeNode, id: string): TreeNode => {
  const found = tree.children.find((node) => node.id === id)
  if (found === undefined) throw new Error(`no child ${id}`)
  return found
}

/** The reason why a command was refused. */
export const refusal = <A, R>(command: Effect.Effect<A, ChildError, R>): Effect.Effect<ChildError["reason"], A, R> =>
  Effect.map(Effect.flip(command), (error) => error.reason)
