/** What the keeper and a worker process tell each other, over the IPC channel. */
import type { ConnectionRecord, Session } from "@bickford/session"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountStatus } from "../control/StatusReport.ts"

/** Why a connection is over. */
export type ConnectionEnd = Exclude<Session.SessionEnd["reason"], "failed">

/** What a worker has counted since it started. */
export interface WorkerNumbers {
  readonly inFlight: number
  readonly requests: number
  readonly errors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly operations: MountStatus["operations"]
}

export type ToWorker =
  /** Open the backend and serve the device. Sent once, when no other process does. */
  | { readonly type: "serve"; readonly mount: MountConfig; readonly resume: Partial<ConnectionRecord> & Pick<ConnectionRecord, "id"> }
  /** Read no more, answer what was read, and exit. */
  | { readonly type: "drain" }
  /** Send a line for each request and reply, or no longer. */
  | { readonly type: "log"; readonly on: boolean }

export type FromWorker =
  /** The code is loaded. */
  | { readonly type: "ready" }
  /** The backend is open, and the device is read from now on. */
  | { readonly type: "reading"; readonly durable: boolean }
  /** INIT was agreed on, and is about to be answered. */
  | { readonly type: "negotiated"; readonly record: ConnectionRecord }
  /** Calls are answered. */
  | { readonly type: "serving" }
  /** It lives; sent many times within the heartbeat's limit. */
  | { readonly type: "beat"; readonly numbers: WorkerNumbers }
  /** The connection ended. */
  | { readonly type: "ended"; readonly reason: ConnectionEnd }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "line"; readonly line: string }
