/** What the daemon says of itself, as JSON over the control socket. Times are milliseconds since the epoch. */
import type { MountNumbers, OperationNumbers } from "../metrics/numbers.ts"

/** `failed`: restarts went past the intensity, and it was unmounted. `stopped`: it was unmounted otherwise. */
export type MountState = "starting" | "running" | "draining" | "backoff" | "failed" | "stopped"

/** Of one operation; the percentiles in microseconds, as upper bounds of a histogram's steps. */
interface OperationStatus extends OperationNumbers {
  readonly p50: number
  readonly p99: number
}

/** The numbers are of all workers that the mount has had, but for those of which the comment says "now". */
export interface MountStatus extends MountNumbers {
  readonly name: string
  readonly source: string
  readonly mountpoint: string
  readonly state: MountState
  /** The worker's. */
  readonly pid?: number
  /** When this worker started. */
  readonly since: number
  readonly mountedAt: number
  /** Of the worker, by itself; those asked for are not counted. */
  readonly restarts: number
  readonly lastCause?: string
  /** The latest restarts, oldest first. */
  readonly history: ReadonlyArray<{ readonly at: number; readonly cause: string }>
  /** By the kernel's name of the opcode, as `LOOKUP`. */
  readonly operations: { readonly [opcode: string]: OperationStatus }
}

export interface StatusReport {
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  /** Bytes, of the keeper alone. */
  readonly rss: number
  readonly heapUsed: number
  readonly mounts: ReadonlyArray<MountStatus>
}
