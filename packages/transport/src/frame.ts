/** Single frames, without a transport: for tests, and for programs that serve or play the kernel themselves. */
import { structs } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import { constants } from "node:os"
import { errnoError, type SystemCallError } from "./errors.ts"
import { addon, type FuseHandle } from "./native.ts"

const { EAGAIN, EINVAL, ENOTSOCK } = constants.errno

/** How large a frame may be. */
export interface FrameOptions {
  /**
   * Bytes of the largest frame, its headers included. Default 131152: 128 KiB of payload, `struct fuse_in_header` and
   * `struct fuse_write_in`. A session that agreed on a `max_write` in INIT takes that and the headers.
   */
  readonly bound?: number
}

/** Of a WRITE, the request with the most payload. */
const headers = structs.inHeader.bytes + structs.writeIn.bytes
const defaultBound = 128 * 1024 + headers
/** The addon counts in 32 bits. */
const largestBound = 2 ** 31 - 1

const invalid = (syscall: string, message: string): Effect.Effect<never, SystemCallError> =>
  Effect.fail(errnoError(syscall, -EINVAL, message))

const boundOf = (syscall: string, { bound = defaultBound }: FrameOptions): Effect.Effect<number, SystemCallError> =>
  Number.isInteger(bound) && bound > 0 && bound <= largestBound
    ? Effect.succeed(bound)
    : invalid(syscall, `bound must be a whole number of bytes from 1 to ${largestBound}, not ${bound}`)

const tooLarge = (syscall: string, length: number, bound: number): Effect.Effect<never, SystemCallError> =>
  invalid(syscall, `a frame of ${length} bytes is larger than the bound of ${bound} bytes`)

/** Memory to read into, of the largest bound so far: what was read is copied out before anything else runs. */
let memory = new Uint8Array(defaultBound)

/**
 * Reads once, without waiting, and succeeds with the bytes: one frame from a device or a `seqpacket` socket; from a pipe
 * or a stream, which keep no boundaries, what is there, up to `bound`. No bytes are the end of a pipe or socket.
 *
 * Fails with EAGAIN when nothing is there (`select_read` waits for it), with ENODEV when the device was unmounted, with
 * EPERM when it was not mounted yet, or with another errno of read(2). EINVAL: the frame is larger than `bound`; it stays
 * where it is, for a read with a larger one. A device has no frame smaller than 8192 bytes or than the headers and INIT's
 * `max_write`, whatever it sends.
 */
export const read_frame = (
  handle: FuseHandle,
  options: FrameOptions = {}
): Effect.Effect<Uint8Array<ArrayBuffer>, SystemCallError> =>
  Effect.flatMap(boundOf("read", options), (bound) => {
    // 0 where there are no messages. An error of a socket is told once: it is this read's.
    const length = addon.message_length(handle)
    if (length > bound) return tooLarge("read", length, bound)
    if (memory.length < bound) memory = new Uint8Array(bound)
    const count = length < 0 && length !== -ENOTSOCK ? length : addon.read_frame(handle, memory, 0, bound)
    if (count >= 0) return Effect.succeed(memory.slice(0, count))
    const hint =
      count === -EINVAL
        ? `the bound of ${bound} bytes is smaller than the kernel's largest frame: 8192 bytes, or ${headers} and max_write`
        : undefined
    return Effect.fail(errnoError("read", count, hint))
  })

const lengthOf = (parts: ReadonlyArray<Uint8Array>): number => parts.reduce((total, part) => total + part.length, 0)

/**
 * Writes one complete frame, in one part or several, at once and without waiting.
 *
 * Fails with EAGAIN when there is no room, also after a short write: a pipe or a stream took only a part, the message
 * says how much, and what comes next cannot be told from the rest of this frame. With EPIPE when the peer is gone, ENOENT
 * when the kernel awaits no such reply, or another errno of write(2). EINVAL: the frame is larger than `bound`, or empty;
 * nothing was written.
 */
export const write_frame = (
  handle: FuseHandle,
  frame: Uint8Array | ReadonlyArray<Uint8Array>,
  options: FrameOptions = {}
): Effect.Effect<void, SystemCallError> =>
  Effect.flatMap(boundOf("write", options), (bound) => {
    const length = frame instanceof Uint8Array ? frame.length : lengthOf(frame)
    if (length > bound) return tooLarge("write", length, bound)
    if (length === 0) return invalid("write", "a frame has at least its header")
    // In one piece: of a short write the addon tells how much went out.
    const count = addon.write_some(handle, frame instanceof Uint8Array ? frame : Buffer.concat(frame, length))
    if (count === length) return Effect.void
    return Effect.fail(
      count < 0
        ? errnoError("write", count)
        : errnoError("write", -EAGAIN, `only ${count} of the frame's ${length} bytes went out`)
    )
  })
