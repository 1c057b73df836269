/** What the keeper and a worker process tell each other, over the channel of `channel.ts`. */
import type { AnsweredCall, CallFilter, ConnectionRecord, Session } from "@bickford/session"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountNumbers } from "../metrics/numbers.ts"
import { isTreeEvent, isTreeReport, type TreeEvent, type TreeReport } from "./treeReport.ts"

/** Why a connection is over. */
export type ConnectionEnd = Exclude<Session.SessionEnd["reason"], "failed">

/**
 * How far a worker goes to find out whether it could serve: it loads the code, makes what it can without touching what
 * another process may hold (`load`); or opens the backend and agrees on an INIT with it, on a connection that no mount
 * has, and closes it again (`open`).
 */
export type Trial = "load" | "open"

/** What the mount covers: descriptor 5 reaches it, if it is known. */
export interface Covered {
  readonly mountpoint: string
  /** Of the mount, `MAJOR:MINOR`. */
  readonly device: string
  readonly known: boolean
}

/** The process behind a call. */
export interface Caller {
  /** The command's name, at most 15 bytes of it (proc_pid_comm(5)). */
  readonly program?: string
  /** W3C Trace Context's `traceparent` of its environment, where the mount asks for it. */
  readonly traceparent?: string
}

/** A call that took longer than the mount's `slow_call`. */
export interface SlowCall
  extends
    Pick<AnsweredCall, "at" | "opcode" | "unique" | "path" | "newPath" | "pid" | "uid" | "error" | "microseconds">,
    Caller {}

/** A call that has not been answered for longer than the mount's `slow_call`; `microseconds` so far. */
export interface StuckCall extends Omit<SlowCall, "error"> {
  /** Whether its operation runs, or waits: to begin, or for a commit. */
  readonly state: "running" | "waiting"
}

/** What the kernel can be told of its caches. */
export type KernelNotice = "prune" | "epoch"

export type ToWorker =
  /** Open the backend and serve the device. Sent once, when no other process does. */
  | {
      readonly type: "serve"
      readonly mount: MountConfig
      /** Where it is mounted, without links, as what device, and whether descriptor 5 is what lies underneath. */
      readonly covered: Covered
      readonly resume: Partial<ConnectionRecord> & Pick<ConnectionRecord, "id">
    }
  /** Find out whether the mount could be served, while another mount may cover what it serves. */
  | { readonly type: "try"; readonly mount: MountConfig; readonly how: Trial; readonly covered?: Covered }
  /** Read no more, answer what was read, and exit. */
  | { readonly type: "drain" }
  /** Send a line for each request and reply, or no longer. */
  | { readonly type: "log"; readonly on: boolean }
  /** Kill a child of the session's supervisor, which starts it again. */
  | { readonly type: "killChild"; readonly child: string }
  /** Stop a child of the session's supervisor in order, and start it again. */
  | { readonly type: "restartChild"; readonly child: string }
  /** Interrupt a call that is not answered yet, as a signal to its caller would. */
  | { readonly type: "interrupt"; readonly unique: string }
  /** Have the kernel drop every node that nobody uses (`prune`), or look every name up again (`epoch`). */
  | { readonly type: "tellKernel"; readonly what: KernelNotice }
  /** Send a record of each call that the filter is true of, by the number `watcher`; without a filter, no longer. */
  | { readonly type: "watch"; readonly watcher: number; readonly filter?: CallFilter }

export type FromWorker =
  /** The code is loaded. */
  | { readonly type: "ready" }
  /** The trial that was asked for went well; else the worker says why, and ends. */
  | { readonly type: "tried" }
  /** The backend is open, and the device is read from now on. */
  | { readonly type: "reading"; readonly durable: boolean }
  /** INIT was agreed on, and is about to be answered. */
  | { readonly type: "negotiated"; readonly record: ConnectionRecord }
  /** Calls are answered. */
  | { readonly type: "serving" }
  /** It lives; sent many times within the heartbeat's limit. */
  | { readonly type: "beat"; readonly numbers: MountNumbers }
  /** The connection ended. */
  | { readonly type: "ended"; readonly reason: ConnectionEnd }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "line"; readonly line: string }
  /** A call that a watcher wants, as JSON. */
  | { readonly type: "call"; readonly watcher: number; readonly line: string }
  /** Calls that a watcher would have wanted, and is not told of. */
  | { readonly type: "missed"; readonly watcher: number; readonly count: number }
  | { readonly type: "slow"; readonly call: SlowCall }
  /** All that are stuck, the oldest first; 20 at the most. */
  | { readonly type: "stuck"; readonly calls: ReadonlyArray<StuckCall> }
  /** The session's supervision tree, and what happened in it. */
  | { readonly type: "tree"; readonly tree: TreeReport }
  | { readonly type: "treeEvent"; readonly event: TreeEvent }

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value)

const isLatencies = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isCount)

const isNumbers = (value: unknown): boolean =>
  isRecord(value) &&
  [
    "inFlight",
    "workerRss",
    "nodes",
    "handles",
    "passthroughFiles",
    "requests",
    "errors",
    "bytesRead",
    "bytesWritten"
  ].every((key) => isCount(value[key])) &&
  isRecord(value["operations"]) &&
  Object.values(value["operations"]).every(
    (one) =>
      isRecord(one) &&
      ["count", "errors", "microseconds"].every((key) => isCount(one[key])) &&
      isLatencies(one["latencies"])
  )

const isSlow = (value: unknown): boolean =>
  isRecord(value) &&
  ["at", "opcode", "unique"].every((key) => typeof value[key] === "string") &&
  ["path", "newPath", "error", "program", "traceparent", "state"].every((key) =>
    ["string", "undefined"].includes(typeof value[key])
  ) &&
  ["pid", "microseconds"].every((key) => isCount(value[key]))

const ends: ReadonlyArray<unknown> = ["unmounted", "aborted", "closed", "asked"] satisfies ReadonlyArray<ConnectionEnd>

/** What a message must hold besides its type. */
const checks: { readonly [Type in FromWorker["type"]]: (message: { readonly [key: string]: unknown }) => boolean } = {
  ready: () => true,
  tried: () => true,
  reading: ({ durable }) => typeof durable === "boolean",
  negotiated: ({ record }) => isRecord(record) && typeof record["id"] === "string" && isRecord(record["negotiated"]),
  serving: () => true,
  beat: ({ numbers }) => isNumbers(numbers),
  ended: ({ reason }) => ends.includes(reason),
  failed: ({ message }) => typeof message === "string",
  line: ({ line }) => typeof line === "string",
  call: ({ line, watcher }) => typeof line === "string" && isCount(watcher),
  missed: ({ count, watcher }) => isCount(count) && isCount(watcher),
  slow: ({ call }) => isSlow(call),
  tree: ({ tree }) => isTreeReport(tree),
  treeEvent: ({ event }) => isTreeEvent(event),
  stuck: ({ calls }) => Array.isArray(calls) && calls.length <= 20 && calls.every(isSlow)
}

const isType = (type: unknown): type is FromWorker["type"] => typeof type === "string" && Object.hasOwn(checks, type)

/** A worker runs code of a person's own, which can send anything; what is no message of ours is not heard. */
export const isFromWorker = (message: unknown): message is FromWorker =>
  isRecord(message) && isType(message["type"]) && checks[message["type"]](message)
