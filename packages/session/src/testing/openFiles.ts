/** Files as a program has them open, for tests: made or opened, read, written, listed, and closed. */
import {
  type Dirent,
  type DirentPlus,
  type Name,
  type Open,
  openFlags,
  openReplyFlags,
  statMode,
  type U64
} from "@bickford/protocol"
import { hasFlag } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import { Errno } from "../errno.ts"
import { type Answered, type KernelSide, unlessAbsent } from "./kernelSide.ts"
import type { Node, Place, Walk } from "./PathWalk.ts"

/** Bytes in one READ, WRITE or READDIR. */
const transferSize = 131072
/** The mask that the kernel says it applied. */
export const callersUmask = 0o022

/** An open file; `open` undefined when the server leaves opening to the kernel. */
export interface OpenFile {
  readonly nodeid: U64
  readonly open: Open | undefined
  readonly flags: number
}

/** Opens a node. */
export const openFile = ({ call }: KernelSide, { nodeid }: Node, flags: number): Answered<OpenFile> =>
  Effect.map(unlessAbsent(call({ op: "open", nodeid, flags, openFlags: 0 })), (open) => ({ nodeid, open, flags }))

/** Makes a file and opens it to be written. */
export const createFile = (kernel: KernelSide, walk: Walk, { name, parent }: Place, mode: number): Answered<OpenFile> =>
  Effect.gen(function* () {
    const flags = openFlags.O_WRONLY
    const made = yield* unlessAbsent(
      kernel.call({
        op: "create",
        nodeid: parent,
        name,
        mode: statMode.S_IFREG | mode,
        umask: callersUmask,
        flags: flags | openFlags.O_CREAT,
        openFlags: 0
      })
    )
    if (made !== undefined) return { nodeid: walk.hold(made.entry).nodeid, open: made.open, flags }
    const entry = yield* kernel.call({
      op: "mknod",
      nodeid: parent,
      name,
      mode: statMode.S_IFREG | mode,
      rdev: 0,
      umask: callersUmask
    })
    return yield* openFile(kernel, walk.hold(entry), flags)
  })

/** FLUSH and RELEASE; what FLUSH fails with is what close(2) does. */
const closeFile = ({ call }: KernelSide, { flags, nodeid, open }: OpenFile): Answered<void> => {
  const fh = open?.fh ?? 0
  const flush =
    open !== undefined && (open.openFlags & openReplyFlags.FOPEN_NOFLUSH) !== 0
      ? Effect.void
      : Effect.asVoid(unlessAbsent(call({ op: "flush", nodeid, fh, lockOwner: 1 })))
  if (open === undefined) return flush
  return Effect.ensuring(
    flush,
    Effect.ignore(call({ op: "release", nodeid, fh, flags, releaseFlags: 0, lockOwner: 0 }))
  )
}

/** Uses an open file, and closes it however that ends. */
export const usingFile = <A>(kernel: KernelSide, file: OpenFile, body: (file: OpenFile) => Answered<A>): Answered<A> =>
  Effect.matchEffect(body(file), {
    onFailure: (error) => Effect.andThen(Effect.ignore(closeFile(kernel, file)), Effect.fail(error)),
    onSuccess: (value) => Effect.as(closeFile(kernel, file), value)
  })

/** Reads a file to its end. */
export const readAll = ({ call }: KernelSide, { flags, nodeid, open }: OpenFile): Answered<Buffer> =>
  Effect.gen(function* () {
    const direct = open !== undefined && (open.openFlags & openReplyFlags.FOPEN_DIRECT_IO) !== 0
    const parts: Array<Uint8Array> = []
    for (let offset = 0; ;) {
      const data = yield* call({
        op: "read",
        nodeid,
        fh: open?.fh ?? 0,
        offset,
        size: transferSize,
        readFlags: 0,
        lockOwner: 0,
        flags
      })
      const part = data instanceof Uint8Array ? data : Buffer.concat([...data])
      parts.push(part)
      offset += part.length
      // Past the cache a short answer is not the end, only an empty one.
      if (part.length === 0 || (!direct && part.length < transferSize)) return Buffer.concat(parts)
    }
  })

/** Writes bytes from a file's beginning on. */
export const writeAll = (kernel: KernelSide, { flags, nodeid, open }: OpenFile, bytes: Uint8Array): Answered<void> =>
  Effect.gen(function* () {
    const most = Math.min(transferSize, kernel.agreed()?.maxWrite ?? transferSize)
    for (let offset = 0; offset < bytes.length;) {
      const data = bytes.subarray(offset, offset + most)
      const written = yield* kernel.call({
        op: "write",
        nodeid,
        fh: open?.fh ?? 0,
        offset,
        size: data.length,
        writeFlags: 0,
        lockOwner: 0,
        flags,
        data
      })
      if (written === 0) return yield* Errno.EIO
      offset += written
    }
  })

/** Reads an open directory's names, without `.` and `..`. */
export const listNames = (kernel: KernelSide, walk: Walk, nodeid: U64, fh: U64): Answered<ReadonlyArray<Name>> =>
  Effect.gen(function* () {
    const names: Array<Name> = []
    const agreed = kernel.agreed()
    let offset: U64 = 0
    let plus = agreed !== undefined && hasFlag(agreed, "FUSE_DO_READDIRPLUS")
    for (;;) {
      const before: U64 = offset
      const request = { nodeid, fh, offset, size: transferSize, readFlags: 0, lockOwner: 0, flags: 0 }
      const withNodes: Iterable<DirentPlus> | undefined = plus
        ? yield* unlessAbsent(kernel.call({ op: "readdirplus", ...request }))
        : undefined
      plus = withNodes !== undefined
      const entries: Iterable<Dirent | DirentPlus> = withNodes ?? (yield* kernel.call({ op: "readdir", ...request }))
      for (const entry of entries) {
        offset = entry.off
        if (entry.name === "." || entry.name === "..") continue
        if ("entry" in entry && entry.entry !== undefined) walk.hold(entry.entry)
        names.push(entry.name)
      }
      if (offset === before) return names
    }
  })
