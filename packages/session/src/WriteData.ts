/** The data of a WRITE as a value, for `Backend.writeBuf`: libfuse's `fuse_bufvec` of `write_buf`. */
import type { U64, WriteRequest } from "@bickford/protocol"
import { files, type PipedData } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { errnoError, type ErrnoError, errnoErrorNamed } from "./errno.ts"

/**
 * What a caller writes: in memory, or still in a pipe where `capabilities.spliceRead` was negotiated. Which of both a backend
 * need not know. It is valid until the operation has ended; after that there is EIO in its place.
 */
export interface WriteData {
  /** In bytes. */
  readonly length: number
  /**
   * Writes all of it to an open file at an offset, on this thread: by splice(2) from a pipe, by pwrite(2) from memory or where
   * the file cannot be spliced to. Succeeds with the bytes written, fewer when the file takes no more; fails with the errno of
   * the call. What has been spliced is gone: a second call, or `bytes`, is EIO then.
   */
  readonly spliceTo: (fd: number, offset: U64) => Exit.Exit<number, ErrnoError>
  /** The bytes, read from the pipe if they are still there; a view into the request's memory. Throws EIO when they are gone. */
  readonly bytes: () => Uint8Array
}

/** A WRITE whose data is a value. */
export type WriteBufRequest = Omit<WriteRequest, "data"> & { readonly data: WriteData }

const written = (count: number): Exit.Exit<number, ErrnoError> =>
  count < 0 ? Exit.fail(errnoError(-count)) : Exit.succeed(count)

/** Data that lies in memory as it is. */
export const memoryData = (data: Uint8Array): WriteData => ({
  length: data.length,
  spliceTo: (fd, offset) => written(files.fs_write(fd, data, offset, 0)),
  bytes: () => data
})

const inPipe = (data: PipedData): WriteData => ({
  length: data.memory.length,
  spliceTo: (fd, offset) => written(data.spliceTo(fd, offset)),
  bytes: () => {
    if (data.read() < 0) throw errnoErrorNamed("EIO")
    return data.memory
  }
})

/** The data of a WRITE; `piped`, if that still has it. */
export const writeDataOf = (data: Uint8Array, piped: PipedData | undefined): WriteData =>
  piped === undefined ? memoryData(data) : inPipe(piped)
