/** What a supervisor knows, and how it shows: tree and events. Changed by its own fiber only. */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import type * as Queue from "effect/Queue"
import { type Child, nodeOf, type Run } from "./child.ts"
import type { SupervisorError } from "./errors.ts"
import type { EventBody, SupervisorEvent } from "./events.ts"
import type { Intensity } from "./intensity.ts"
import type { SupervisorOptions } from "./spec.ts"
import type { NodeState, TreeNode, TreeSlot } from "./tree.ts"

export type Message =
  | { readonly _tag: "Exited"; readonly child: Child; readonly run: Run; readonly exit: Exit.Exit<unknown, unknown> }
  /** A delay before a restart is over, for those that still wait for it. */
  | { readonly _tag: "Due"; readonly members: ReadonlySet<Child> }
  | { readonly _tag: "Command"; readonly execute: Effect.Effect<unknown, SupervisorError> }
  /** Looks at `stopRequested`. */
  | { readonly _tag: "Wake" }

export interface State {
  readonly id: string
  readonly options: SupervisorOptions
  readonly clock: Clock.Clock
  readonly queue: Queue.Queue<Message>
  readonly pubsub: PubSub.PubSub<SupervisorEvent>
  /** Where this supervisor shows in its parent's tree, if it has one. */
  readonly parent: TreeSlot | undefined
  readonly intensity: Intensity
  readonly stopRequested: Deferred.Deferred<void>
  readonly ended: Deferred.Deferred<void, SupervisorError>
  /** In start order. */
  readonly children: Array<Child>
  state: NodeState
  since: number
  restarts: number
  lastCause: Cause.Cause<unknown> | undefined
}

export const now = (self: State): number => self.clock.currentTimeMillisUnsafe()

/** Milliseconds of a clock that nobody sets, for what is measured: how long something ran, how often within a time. */
export const elapsed = (self: State): number => Number(self.clock.monotonicTimeNanosUnsafe()) / 1e6

/** Of a supervisor or of a child. */
export const setState = (self: State, node: State | Child, state: NodeState): void => {
  node.state = state
  node.since = now(self)
}

/** `path`: empty for the supervisor itself. */
export const emit = (self: State, path: ReadonlyArray<string>, body: EventBody): void =>
  publish(self, { ...body, path, at: now(self) })

export const publish = (self: State, event: SupervisorEvent): void => {
  PubSub.publishUnsafe(self.pubsub, event)
  self.parent?.publish(event)
}

export const treeOf = (self: State): TreeNode => ({
  id: self.id,
  type: "supervisor",
  strategy: self.options.strategy,
  state: self.state,
  since: self.since,
  restarts: self.restarts,
  lastCause: self.lastCause,
  children: self.children.map(nodeOf)
})
