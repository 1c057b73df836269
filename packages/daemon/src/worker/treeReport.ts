/** A supervision tree as data that a channel can carry. */
import type { SupervisorEvent, TreeNode } from "@bickford/supervisor"
import * as Cause from "effect/Cause"

/** A child, or a supervisor, with those below it. Times are milliseconds since the epoch. */
export interface TreeReport {
  readonly id: string
  readonly type: TreeNode["type"]
  /** Of a supervisor. */
  readonly strategy?: string
  readonly state: TreeNode["state"]
  readonly since: number
  readonly restarts: number
  readonly lastCause?: string
  /** The same with where it came from, line by line. */
  readonly lastTrace?: string
  readonly children: ReadonlyArray<TreeReport>
}

/** Something that happened in a tree. */
export interface TreeEvent {
  readonly at: number
  /** Ids from the top downwards; empty for the supervisor itself. */
  readonly path: ReadonlyArray<string>
  readonly what: SupervisorEvent["_tag"]
  readonly cause?: string
  /** Milliseconds until it is started again. */
  readonly delay?: number
}

/** Characters of a cause that are told of. */
const causeMost = 500

/** Characters of a trace that are told of. */
const traceMost = 4000

const textOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const text = typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
  return text.slice(0, causeMost)
}

export const treeReport = ({
  children,
  id,
  lastCause,
  restarts,
  since,
  state,
  strategy,
  type
}: TreeNode): TreeReport => ({
  id,
  type,
  ...(strategy === undefined ? {} : { strategy }),
  state,
  since,
  restarts,
  ...(lastCause === undefined
    ? {}
    : { lastCause: textOf(lastCause), lastTrace: Cause.pretty(lastCause).slice(0, traceMost) }),
  children: children.map(treeReport)
})

export const treeEvent = (event: SupervisorEvent): TreeEvent => ({
  at: event.at,
  path: event.path,
  what: event._tag,
  ...("cause" in event && event.cause !== undefined ? { cause: textOf(event.cause) } : {}),
  ...("delay" in event ? { delay: event.delay } : {})
})

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const isText = (value: unknown): boolean => value === undefined || typeof value === "string"

/** Levels that a tree may have. */
const depthMost = 8

export const isTreeReport = (value: unknown, depth = 0): value is TreeReport =>
  isRecord(value) &&
  depth < depthMost &&
  ["id", "type", "state"].every((key) => typeof value[key] === "string") &&
  ["since", "restarts"].every((key) => typeof value[key] === "number") &&
  ["strategy", "lastCause", "lastTrace"].every((key) => isText(value[key])) &&
  Array.isArray(value["children"]) &&
  value["children"].every((child) => isTreeReport(child, depth + 1))

export const isTreeEvent = (value: unknown): value is TreeEvent =>
  isRecord(value) &&
  typeof value["at"] === "number" &&
  typeof value["what"] === "string" &&
  isText(value["cause"]) &&
  ["number", "undefined"].includes(typeof value["delay"]) &&
  Array.isArray(value["path"]) &&
  value["path"].every((part) => typeof part === "string")
