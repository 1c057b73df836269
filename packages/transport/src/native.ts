/** The addon: thin system calls, under their C names. Nothing outside this package calls it. */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

declare const brand: unique symbol

/** A file descriptor owned by the addon: closed by `close`, or when nothing refers to it any more. */
export interface FuseHandle {
  readonly [brand]: "FuseHandle"
}

/** How a run of the fusermount3 helper ended. */
export interface HelperOutcome {
  /** 0, or the negative errno for which the helper could not be run or waited for. */
  readonly error: number
  readonly syscall: string
  /** Exit status, or 128 plus the signal's number. */
  readonly status: number
  /** Descriptors received. */
  readonly descriptors: number
  readonly stderr: string
  readonly handle?: FuseHandle
}

/** Calls return a negative errno where the system call failed. */
interface Addon {
  readonly open_dev_fuse: () => FuseHandle | number
  readonly pipe_pair: () => readonly [FuseHandle, FuseHandle] | number
  readonly socketpair: (type: "stream" | "seqpacket") => readonly [FuseHandle, FuseHandle] | number
  readonly from_fd: (fd: number) => FuseHandle | number
  readonly close: (handle: FuseHandle) => void
  readonly fd: (handle: FuseHandle) => number
  readonly select_read: (handle: FuseHandle, callback: (status: number) => void, persistent: boolean) => number
  readonly select_stop: (handle: FuseHandle) => void
  readonly read_frame: (handle: FuseHandle, into: Uint8Array, offset: number, length: number) => number
  readonly write_frame: (handle: FuseHandle, ...parts: ReadonlyArray<Uint8Array>) => number
  readonly write_range: (handle: FuseHandle, bytes: Uint8Array, offset: number, length: number, ...parts: ReadonlyArray<Uint8Array>) => number
  readonly mount: (source: string, target: string, type: string, flags: number, data: string) => Promise<number>
  readonly unmount: (target: string, flags: number) => Promise<number>
  readonly fusermount3_mount: (mountpoint: string, options: string, program: string, environment: ReadonlyArray<string>, timeoutMs: number) => Promise<HelperOutcome>
  readonly fusermount3_unmount: (mountpoint: string, how: "" | "z", program: string, environment: ReadonlyArray<string>, timeoutMs: number) => Promise<HelperOutcome>
  readonly lock_memory: (bytes: Uint8Array) => number
}

/** `BICKFORD_ADDON` names another build, as the one with AddressSanitizer. */
const location = process.env["BICKFORD_ADDON"] ?? fileURLToPath(new URL("../../../native/build/Release/bickford.node", import.meta.url))

const load = (): Addon => {
  try {
    const addon: Addon = createRequire(import.meta.url)(location)
    return addon
  } catch (cause) {
    throw new Error(`the native addon could not be loaded (build it with: npm run build:addon): ${location}`, { cause })
  }
}

export const native: Addon = load()
