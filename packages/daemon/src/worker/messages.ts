/** What the keeper and a worker process tell each other, over the channel of `channel.ts`. */
import type { ConnectionRecord, Session } from "@bickford/session"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountNumbers } from "../metrics/numbers.ts"

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

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value)

const isLatencies = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isCount)

const isNumbers = (value: unknown): boolean =>
  isRecord(value) &&
  ["inFlight", "workerRss", "requests", "errors", "bytesRead", "bytesWritten"].every((key) => isCount(value[key])) &&
  isRecord(value["operations"]) &&
  Object.values(value["operations"]).every(
    (one) =>
      isRecord(one) &&
      ["count", "errors", "microseconds"].every((key) => isCount(one[key])) &&
      isLatencies(one["latencies"])
  )

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
  line: ({ line }) => typeof line === "string"
}

const isType = (type: unknown): type is FromWorker["type"] => typeof type === "string" && Object.hasOwn(checks, type)

/** A worker runs code of a person's own, which can send anything; what is no message of ours is not heard. */
export const isFromWorker = (message: unknown): message is FromWorker =>
  isRecord(message) && isType(message["type"]) && checks[message["type"]](message)
