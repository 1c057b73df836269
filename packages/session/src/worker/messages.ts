/** What a program and the worker that serves its mount tell each other. */
import type { MountEnd, MountOptions } from "../Mount.ts"
import type { PlainError } from "./plainError.ts"

/** Options that can be sent to a thread: data, no functions. */
export type WorkerMountOptions = Omit<MountOptions, "backend" | "session"> & {
  readonly session?: Omit<NonNullable<MountOptions["session"]>, "onNegotiated">
}

export interface WorkerData {
  readonly module: string
  readonly options: WorkerMountOptions
}

export type FromWorker =
  | { readonly type: "mounted"; readonly mountpoint: string; readonly device: string }
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "unmounted"; readonly request: number; readonly error: PlainError | undefined }
  | { readonly type: "ended"; readonly reason: MountEnd["reason"] }

export type ToWorker =
  | { readonly type: "unmount"; readonly request: number; readonly lazy: boolean }
  | { readonly type: "stop" }
