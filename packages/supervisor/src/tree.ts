/** A supervision tree as it is now, and how a supervisor inside a child becomes part of its parent's. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type { SupervisorEvent } from "./events.ts"
import type { Strategy } from "./spec.ts"

/**
 * `failed`: it was the last straw, or its `init` failed when told to start; `stopped`: it ended
 * normally or was stopped.
 */
export type NodeState = "starting" | "running" | "backoff" | "stopping" | "stopped" | "failed"

/** One child of a tree, as it is now, with its own children. */
export interface TreeNode {
  readonly id: string
  readonly type: "worker" | "supervisor"
  /** Of a supervisor that runs. */
  readonly strategy?: Strategy
  readonly state: NodeState
  /** Since when it has been in this state, Clock milliseconds. */
  readonly since: number
  /** How often it was started again, whatever the reason; for a supervisor's own node: all its children together. */
  readonly restarts: number
  /** What it last failed with. */
  readonly lastCause: Cause.Cause<unknown> | undefined
  /** In start order; empty for workers. */
  readonly children: ReadonlyArray<TreeNode>
}

/** A child's place in its parent's tree. */
export interface TreeSlot {
  readonly attach: (nested: () => TreeNode) => void
  readonly publish: (event: SupervisorEvent) => void
}

/** Set in the context of every child: a supervisor made in it shows in the tree and the events above. */
export const ParentSlot = Context.Reference<TreeSlot | undefined>("@bickford/session/supervisor/ParentSlot", {
  defaultValue: () => undefined
})
