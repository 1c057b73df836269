/** What a session is told when it is made. */
import type { InitOptions, Negotiated, ReplyOf } from "@bickford/protocol"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AtimePolicy } from "./atime.ts"
import type { AsyncBackend } from "./Backend.ts"
import type { Deadline } from "./dispatcher/deadline.ts"
import type { Limits } from "./dispatcher/limits.ts"

/** How several isolates serve a connection. */
export interface IsolateOptions {
  /** How many there may be; "auto" for one on each CPU. */
  readonly threads: "auto" | number
  /** Where the connection is mounted. */
  readonly mountpoint: string
  /** The mount's device, `MAJOR:MINOR`. */
  readonly device: string
}

/** A backend, or how to acquire one: it is acquired anew, in a scope of its own, at every (re)start. */
export type BackendSource = AsyncBackend | Effect.Effect<AsyncBackend, unknown, Scope.Scope>

/** What INIT is asked for, without what the transport decides; limits; and how failures are met. */
export interface SessionOptions extends Omit<InitOptions, "frameCapacity" | "overIoUring">, Limits {
  /** OTP's `max_restarts`: more than so many within `maxSeconds` end the session. Default 3. */
  readonly maxRestarts?: number
  /** OTP's `max_seconds`, the window for `maxRestarts`. Default 5 seconds. */
  readonly maxSeconds?: Duration.Input
  /** How long calls in flight may run on when the session is stopped. Default 5 seconds. */
  readonly drain?: Duration.Input
  /** How long new calls wait for a backend that is being restarted, before they get EIO. Default 10 seconds. */
  readonly grace?: Duration.Input
  /** How long operations may take: one limit for all, or by operation. Default: no limit. */
  readonly deadline?: Deadline | { readonly [Op in keyof ReplyOf]?: Deadline }
  /** How backends keep times of reading. `mount` sets it from its own options. Default: relatime. */
  readonly atime?: AtimePolicy
  /** Has several isolates serve a backend that is `shared`, where that can be. `mount` sets it from its `threads`. */
  readonly isolates?: IsolateOptions
  /**
   * The connection was served before, by a process that is gone: INIT is not repeated, and what that
   * process had read and not answered is delivered again (FUSE_NOTIFY_RESEND), where that was negotiated.
   * A record without an agreement: it is not known whether a process has read INIT.
   */
  readonly resume?: Partial<ConnectionRecord> & Pick<ConnectionRecord, "id">
  /** Called with what a later server of the connection needs to `resume` it, before INIT's answer is written. */
  readonly onNegotiated?: (record: ConnectionRecord) => Effect.Effect<void>
}

/** What one server of a connection leaves to the next; plain data, fit for JSON. */
export interface ConnectionRecord {
  readonly id: string
  readonly negotiated: Negotiated
}
