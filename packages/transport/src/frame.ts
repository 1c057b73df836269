/** One frame in, one frame out; negative results are negative errnos. */
import { type FuseHandle, native } from "./native.ts"

/** One non-blocking read(2) into `into`: bytes read, 0 at the end of file. */
export const readFrame = (handle: FuseHandle, into: Uint8Array): number => native.read_frame(handle, into, 0, into.length)

/** One non-blocking writev(2) of one frame; a short write is -EAGAIN. */
export const writeFrame = (handle: FuseHandle, ...parts: ReadonlyArray<Uint8Array>): number => native.write_frame(handle, ...parts)
