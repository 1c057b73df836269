/** Tells what happens in a supervision tree, and how it is then. */
import type { Supervisor } from "@bickford/supervisor"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { type TreeEvent, treeEvent, type TreeReport, treeReport } from "./treeReport.ts"

/** Is told of a tree. */
export interface TreeListener {
  readonly tree: (tree: TreeReport) => void
  readonly event: (event: TreeEvent) => void
}

/** Has `listener` told of a supervisor's tree now, and of each event with the tree after it, while the scope lasts. */
export const watchTree = (supervisor: Supervisor, listener: TreeListener): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events = yield* supervisor.events
    const look = Effect.map(supervisor.tree, (tree) => listener.tree(treeReport(tree)))
    yield* look
    const one = Effect.flatMap(PubSub.take(events), (event) => {
      listener.event(treeEvent(event))
      return look
    })
    yield* Effect.forkScoped(Effect.forever(one))
  })
