/** The addon: system calls, and nothing else. Its functions return a negative errno where they fail. */
import type { FilesystemCalls } from "./filesystem/calls.ts"
import type { SharedFiles } from "./filesystem/SharedFiles.ts"
import type { Ring } from "./ring/Ring.ts"
import type { FuseHandle } from "./FuseHandle.ts"
import { loadAddon } from "./loadAddon.ts"
import { requireNode } from "./runtime.ts"

export type { FuseHandle } from "./FuseHandle.ts"

/** Memory of a slot, and the number by which channels know it. */
interface NativeSlotMemory {
  readonly memory: ArrayBuffer
  readonly number: number
}

/** Memory that frames are read into and written from, by functions that are told where through `control`. */
interface NativeChannel {
  /** The words of `channelWords`. */
  readonly control: ArrayBuffer
  readonly read: () => void
  readonly write: () => void
  /** `write`, then `read`. */
  readonly exchange: () => void
  /** Memory for the data of a WRITE of just its size, in place of what was lent before. */
  readonly lend: (memory: Uint8Array | undefined) => void
  /** As `exchange`; what is written goes on with up to 63 tails. */
  readonly exchange_with: (...tails: ReadonlyArray<Bytes>) => void
  /** As `read`, by way of an empty pipe: the data of a WRITE of `least` bytes or more stays in it, which `apart` tells. */
  readonly read_by_pipe: (read: FuseHandle, write: FuseHandle, least: number) => void
}

/** How to run fusermount3. */
export interface HelperOptions {
  /** A path, or a name to look up. Default `fusermount3`. */
  readonly program?: string
  /** The helper's PATH. */
  readonly path?: string
  /** Milliseconds until it is killed. Default 30000. */
  readonly timeout?: number
}

/** How the helper ended. */
export interface HelperOutcome {
  /** 0, or the negative errno of `syscall`; -ETIMEDOUT when it was killed. */
  readonly error: number
  readonly syscall: string
  readonly exitCode: number
  readonly signal: number
  /** Standard output and error, the first 8 KiB. */
  readonly output: string
  /** What it sent over its socket: `bytes` are such that no descriptor came with. */
  readonly sent: "nothing" | "descriptor" | "bytes"
  /** The device, when it exited with 0 and sent one. */
  readonly handle?: FuseHandle
}

/** How a mount by fsopen(2) ended. */
interface ContextMountOutcome {
  /** 0, or a negative errno. */
  readonly error: number
  /** The errors that the kernel wrote to the filesystem context's log; the empty string for none. */
  readonly log: string
}

type Bytes = Uint8Array | DataView

export interface Addon extends FilesystemCalls {
  readonly open_dev_fuse: () => FuseHandle | number
  /** Until the connection is there (`connectionOf`), reading or polling the device holds up this thread. */
  readonly sync_init: (device: FuseHandle) => number
  readonly pipe_pair: () => [FuseHandle, FuseHandle] | number
  readonly socketpair: (type?: "stream" | "seqpacket") => [FuseHandle, FuseHandle] | number
  readonly from_fd: (fd: number) => FuseHandle | number
  readonly close: (handle: FuseHandle) => number
  readonly sd_notify: (socket: string, state: string, handle?: FuseHandle) => number
  readonly fd: (handle: FuseHandle) => number
  readonly kind: (handle: FuseHandle) => "device" | "seqpacket" | "stream" | number
  readonly connected: (handle: FuseHandle) => boolean
  readonly select_read: (handle: FuseHandle, callback: (status: number) => void, persistent?: boolean) => number
  readonly select_write: (handle: FuseHandle, callback: (status: number) => void, persistent?: boolean) => number
  readonly select_stop: (handle: FuseHandle) => number
  readonly read_frame: (handle: FuseHandle, into: Bytes, offset?: number, length?: number) => number
  readonly message_length: (handle: FuseHandle) => number
  readonly write_frame: (handle: FuseHandle, ...parts: ReadonlyArray<Bytes>) => number
  readonly write_some: (handle: FuseHandle, from: Bytes, offset?: number, length?: number) => number
  readonly read_range: (fd: number, into: Bytes, offset: number, length: number, position?: number | bigint) => number
  readonly pipe_slots: (pipe: FuseHandle, bytes: number) => number
  readonly splice_file: (fd: number, offset: number | bigint, pipe: FuseHandle, length: number) => number
  readonly splice_into: (pipe: FuseHandle, fd: number, offset: number | bigint, length: number) => number
  readonly splice_pipe: (from: FuseHandle, to: FuseHandle, length: number, move: boolean) => number
  readonly channel: (reader: FuseHandle, writer: FuseHandle) => NativeChannel | number
  /** A ring with an entry for each of these queues, a queue as often as it is to have entries; or a negative errno. */
  readonly ring: (queues: Uint16Array) => Ring | number
  /** The number of memory for so many entries of a ring, with payloads of so many bytes; it stays until it is released. */
  readonly ring_memory: (entries: number, payload: number) => number
  readonly release_ring_memory: (number: number) => void
  /** The calling thread runs on these CPUs alone. 0 or a negative errno. */
  readonly pin_thread: (cpus: Uint16Array) => number
  /** statfs(2), called by a thread on that CPU. 0 or a negative errno. */
  readonly nudge: (cpu: number, path: string) => Promise<number>
  /** A share of the files of that number, or of new ones whose root was looked at last. */
  readonly attach_files: (number?: number) => SharedFiles | number
  readonly slot_memory: (bytes: number) => NativeSlotMemory | number
  readonly notify: (handle: FuseHandle, ...parts: ReadonlyArray<Bytes>) => Promise<number>
  readonly lock_memory: (bytes: Bytes) => number
  readonly allocate_memory: (bytes: number) => ArrayBuffer | number
  readonly discard_memory: (bytes: Uint8Array) => void
  readonly fusermount3_mount: (
    mountpoint: string,
    options: string,
    helper?: HelperOptions
  ) => Promise<HelperOutcome | number>
  readonly fusermount3_unmount: (
    mountpoint: string,
    lazy: boolean,
    helper?: HelperOptions
  ) => Promise<HelperOutcome | number>
  readonly mount: (source: string, target: string, type: string, flags: number, data: string) => Promise<number>
  /** By fsopen(2) and its kin; -ENOSYS where the kernel, or the C library that the addon was compiled for, has none of them. */
  readonly mount_with_context: (
    source: string,
    target: string,
    type: string,
    flags: number,
    options: ReadonlyArray<string>
  ) => Promise<ContextMountOutcome | number>
  readonly unmount: (target: string, flags: number) => Promise<number>
  /** As `unmount`, on this thread. */
  readonly unmount_now: (target: string, flags: number) => number
  /** Has the end of this environment, while `device` is open, abort its connection by `abortFile` and detach the mount, if any. */
  readonly detach_at_end: (device: FuseHandle, mountpoint: string, numbers: string, abortFile: string) => number
  readonly watchdog: (connections: string, device: string, message: string, patience: number) => () => void
  readonly resolve_path: (path: string) => Promise<string | number>
  readonly file_mode: (path: string) => Promise<number>
  readonly backing_open: (device: FuseHandle, fd: number) => number
  readonly backing_close: (device: FuseHandle, id: number) => number
}

const load = (): Addon => {
  requireNode()
  return loadAddon() as Addon
}

/** The addon of this environment (the main thread or a worker). */
export const addon: Addon = load()
