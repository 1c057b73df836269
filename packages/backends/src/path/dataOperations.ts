/** What is done with an open file: reading, writing, closing. */
import type { U64 } from "@bickford/protocol"
import { add } from "@bickford/protocol/arithmetic"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import { checked, forms } from "./answers.ts"
import type { PathAttributes, PathCallbacks } from "./callbacks.ts"
import { bytes } from "./data.ts"
import type { PathHandles } from "./handles.ts"
import { map, optional, orTooLarge, outcome, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const nothing = new Uint8Array(0)
/** FUSE_FSYNC_FDATASYNC. */
const dataSync = 1

/** Whether a `read` can get at its sixth argument. */
const takesBuffer = (read: { readonly length: number }): boolean => read.length > 5 || read.length === 0

/** Calls `read`; zeroes stand for what it says is there and did not write. */
const readBy = <H>(
  read: NonNullable<PathCallbacks<H>["read"]>,
  handle: H,
  size: number,
  offset: U64,
  path: string | undefined,
  context: RequestContext
): Outcome<Uint8Array> => {
  const buffer = takesBuffer(read) ? new Uint8Array(size) : nothing
  return map(
    checked(
      outcome(() => read(handle, size, offset, path, context, buffer)),
      "read",
      path,
      forms.read,
      size
    ),
    (answer) => {
      if (typeof answer !== "number") return bytes(answer).subarray(0, size)
      return buffer.length === size ? buffer.subarray(0, answer) : new Uint8Array(answer)
    }
  )
}

/** A removed file's attributes, after a write up to `end`. */
const grown = (attributes: PathAttributes, end: U64): PathAttributes =>
  attributes.size === undefined || attributes.size >= end ? attributes : { ...attributes, size: end }

export const dataOperations = <H>({ callbacks }: Served<H>, { release, use }: PathHandles<H>) =>
  ({
    read: ({ fh, offset, size }, context) =>
      use(fh, (handle, path) =>
        callbacks.read === undefined ? Errno.ENOSYS : readBy(callbacks.read, handle, size, offset, path, context)
      ),
    write: ({ data, fh, offset }, context) =>
      use(fh, (handle, path, node) =>
        map(
          checked(
            orTooLarge(offset, optional(callbacks.write, handle, data, offset, path, context)),
            "write",
            path,
            forms.write,
            data.length
          ),
          (written) => {
            const size = typeof written === "number" ? written : data.length
            if (node.last !== undefined) node.last = grown(node.last, add(offset, size))
            return size
          }
        )
      ),
    flush: ({ fh }, context) => use(fh, (handle, path) => optional(callbacks.flush, handle, path, context)),
    fsync: ({ fh, fsyncFlags }, context) =>
      use(fh, (handle, path) => optional(callbacks.fsync, handle, path, context, (fsyncFlags & dataSync) !== 0)),
    fallocate: ({ fh, length, mode, offset }, context) =>
      use(fh, (handle, path) =>
        orTooLarge(add(offset, length), optional(callbacks.fallocate, handle, mode, offset, length, path, context))
      ),
    lseek: ({ fh, offset, whence }, context) =>
      use(fh, (handle, path) =>
        checked(optional(callbacks.lseek, handle, offset, whence, path, context), "lseek", path, forms.offset)
      ),
    release: ({ fh }) => release(fh)
  }) satisfies Backend
