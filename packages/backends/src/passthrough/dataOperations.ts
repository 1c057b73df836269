/** What is in open files: reading, writing, allocating, copying, syncing. */
import type { U64, WriteRequest } from "@bickford/protocol"
import type { Backend, RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { FUSE_WRITE_CACHE, FUSE_WRITE_KILL_SUIDGID, O_APPEND } from "../posix/linux.ts"
import { answered, failureOf } from "./answers.ts"
import { awaited } from "./awaited.ts"
import { killSuidSgid, killUnlessRoot } from "./privileges.ts"
import type { Served } from "./served.ts"

const RWF_APPEND = 0x10
/** What the 32-bit reply of COPY_FILE_RANGE can say. */
const copyMax = 0x7ffff000

export const dataOperations = (served: Served) => {
  const { nodes, opened, options } = served

  /** What takes set-user-ID away when others than root do it. */
  const changed = (nodeid: U64, fd: number, context: RequestContext, status: number): number =>
    status >= 0 ? Math.min(status, killUnlessRoot(served, nodeid, fd, context)) : status

  const appends = ({ flags, writeFlags }: Pick<WriteRequest, "flags" | "writeFlags">): boolean =>
    (flags & O_APPEND) !== 0 && (writeFlags & FUSE_WRITE_CACHE) === 0

  /** What a write takes away. */
  const written = (
    { nodeid, writeFlags }: Pick<WriteRequest, "nodeid" | "writeFlags">,
    fd: number,
    context: RequestContext
  ): void => {
    if ((writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0) killSuidSgid(served, nodeid, fd, context)
    // Where it was negotiated the kernel says it of each write that is to clear anything.
    else if ((writeFlags & FUSE_WRITE_CACHE) === 0 && served.negotiated?.handleKillprivV2 !== true)
      killUnlessRoot(served, nodeid, fd, context)
  }

  const writeBuf: NonNullable<Backend["writeBuf"]> = (request, context) => {
    const fd = opened.descriptor(request.fh)
    if (fd < 0) return failureOf(fd)
    // splice(2) cannot append.
    if (appends(request)) {
      const count = files.fs_write(fd, request.data.bytes(), request.offset, RWF_APPEND)
      if (count < 0) return failureOf(count)
      written(request, fd, context)
      return Exit.succeed(count)
    }
    const count = request.data.spliceTo(fd, request.offset)
    if (Exit.isSuccess(count)) written(request, fd, context)
    return count
  }

  return {
    read: ({ fh, offset, size }) => {
      const fd = opened.descriptor(fh)
      return fd < 0 ? failureOf(fd) : Exit.succeed({ fd, offset, length: size })
    },
    write: (request, context) => {
      const fd = opened.descriptor(request.fh)
      if (fd < 0) return failureOf(fd)
      const count = files.fs_write(fd, request.data, request.offset, appends(request) ? RWF_APPEND : 0)
      if (count < 0) return failureOf(count)
      written(request, fd, context)
      return Exit.succeed(count)
    },
    ...(options.spliceRead === true ? { writeBuf } : {}),
    fallocate: ({ fh, length, mode, nodeid, offset }, context) => {
      const fd = opened.descriptor(fh)
      return fd < 0
        ? failureOf(fd)
        : answered(changed(nodeid, fd, context, files.fs_fallocate(fd, mode, offset, length)))
    },
    lseek: ({ fh, offset, whence }) => {
      const fd = opened.descriptor(fh)
      if (fd < 0) return failureOf(fd)
      // Before the beginning is a number beyond the largest, on the wire.
      const found = files.fs_seek(fd, typeof offset === "bigint" ? BigInt.asIntN(64, offset) : offset, whence)
      return found < 0 ? failureOf(Number(found)) : Exit.succeed(found)
    },
    copyFileRange: ({ fhIn, fhOut, len, nodeidOut, offIn, offOut }, context) => {
      const from = opened.descriptor(fhIn)
      const to = opened.descriptor(fhOut)
      if (from < 0 || to < 0) return failureOf(Math.min(from, to))
      return awaited(
        () => files.fs_copy(from, offIn, to, offOut, len > copyMax ? copyMax : len),
        (copied) => {
          changed(nodeidOut, to, context, 0)
          return copied
        }
      )
    },
    fsync: ({ fh, fsyncFlags }) => {
      const fd = opened.descriptor(fh)
      return fd < 0
        ? failureOf(fd)
        : awaited(
            () => files.fs_sync(fd, (fsyncFlags & 1) !== 0 ? 1 : 0),
            () => undefined
          )
    },
    syncfs: () =>
      awaited(
        () => files.fs_sync(nodes.root.fd, 2),
        () => undefined
      )
  } satisfies Backend
}
