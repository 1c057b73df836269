/** Single frames, without a transport: for tests, and for programs that play the kernel. */
import { addon, type FuseHandle } from "./native.ts"

/** One non-blocking read. Returns the bytes read, 0 at the end of a pipe or socket, or a negative errno. */
export const readFrame = (handle: FuseHandle, into: Uint8Array): number => addon.read_frame(handle, into)

/**
 * One non-blocking write of a frame made of up to 64 parts. Returns the bytes written, or a negative
 * errno: -EAGAIN also when a pipe or stream took only a part of it.
 */
export const writeFrame = (handle: FuseHandle, ...parts: ReadonlyArray<Uint8Array>): number => addon.write_frame(handle, ...parts)
