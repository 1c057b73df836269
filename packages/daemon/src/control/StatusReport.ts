/** What the daemon says of itself, as JSON over the control socket. Times are milliseconds since the epoch. */

/** `failed`: restarts went past the intensity, and it was unmounted. `stopped`: it was unmounted otherwise. */
export type MountState = "starting" | "running" | "draining" | "backoff" | "failed" | "stopped"

/** Of one operation since the worker started; latencies in microseconds, as upper bounds of a histogram's steps. */
interface OperationStatus {
  readonly count: number
  readonly errors: number
  readonly p50: number
  readonly p99: number
}

export interface MountStatus {
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
  /** Calls whose operations have suspended. */
  readonly inFlight: number
  readonly requests: number
  readonly errors: number
  readonly bytesRead: number
  readonly bytesWritten: number
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
