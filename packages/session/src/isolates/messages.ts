/** What the coordinator of a mount and the isolates that serve it tell each other. */
import type { Negotiated, U64 } from "@bickford/protocol"
import type { CoveredPlace } from "@bickford/transport"
import type { AtimePolicy } from "../atime.ts"
import type { SessionOptions } from "../SessionOptions.ts"
import type { PlainError } from "../worker/plainError.ts"

/** Options of a session that can be sent to a thread, durations in milliseconds. */
export type IsolateSessionOptions = Omit<SessionOptions, "atime" | "resume" | "onNegotiated" | "isolates">

/** What a thread starts with. */
export interface IsolateStart {
  /** The URL of the backend's module, and what its export `backend` is called with, before there is anything to serve. */
  readonly module: string
  readonly data: unknown
}

/** What an isolate serves. */
export interface IsolateData {
  readonly connection: { readonly id: string; readonly negotiated: Negotiated }
  readonly atime: AtimePolicy
  readonly options: IsolateSessionOptions
  /** The connection's descriptor, which stays the coordinator's. */
  readonly device: number
  /** The mount's device (`MAJOR:MINOR`); undefined where it is not known. */
  readonly mounted: string | undefined
  readonly covered: ReadonlyArray<CoveredPlace>
  readonly cpus: ReadonlyArray<number>
  /** The queue of each entry, and the number of the entries' memory. */
  readonly queues: Uint16Array
  readonly memory: number
}

export type FromIsolate =
  /** Its modules are loaded, and the backend's has said how it is acquired. */
  | { readonly type: "loaded" }
  /** It serves. */
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly error: PlainError }

export type ToIsolate =
  /** Begins to serve; comes once. */
  | { readonly type: "serve"; readonly data: IsolateData }
  /** Ends in order. */
  | { readonly type: "stop" }
  /** The caller of a request is signalled; whose it is, is not known. */
  | { readonly type: "interrupt"; readonly target: U64 }
  /** The coordinator was told of FORGETs. */
  | { readonly type: "forgotten" }
