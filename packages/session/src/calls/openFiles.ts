/** Files as a program has them open: made or opened, read, written, listed, and closed. */
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
import { type Answered, type Fault, type KernelSide, unlessAbsent } from "./KernelSide.ts"
import type { Node, Place } from "./Node.ts"
import type { Walk } from "./PathWalk.ts"

/** Bytes in one READ, WRITE or READDIR. */
const transferSize = 131072
/** An open file; `open` undefined when the server leaves opening to the kernel. */
export interface OpenFile {
  readonly nodeid: U64
  readonly open: Open | undefined
  readonly flags: number
}

/** Opens a node. */
export const openFile = <F extends Fault>(
  { call }: KernelSide<F>,
  { nodeid }: Pick<Node, "nodeid">,
  flags: number
): Answered<OpenFile, F> =>
  Effect.map(unlessAbsent(call({ op: "open", nodeid, flags, openFlags: 0 })), (open) => ({ nodeid, open, flags }))

/** Makes a file and opens it, to be written unless `flags` (of open(2)) say otherwise. */
export const createFile = <F extends Fault>(
  kernel: KernelSide<F>,
  walk: Walk<F>,
  { name, parent }: Place,
  mode: number,
  flags: number = openFlags.O_WRONLY
): Answered<OpenFile, F> =>
  Effect.gen(function* () {
    const made = yield* unlessAbsent(
      kernel.call({
        op: "create",
        nodeid: parent,
        name,
        mode: statMode.S_IFREG | mode,
        umask: kernel.umask(),
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
      umask: kernel.umask()
    })
    return yield* openFile(kernel, walk.hold(entry), flags)
  })

/** FLUSH and RELEASE; what FLUSH fails with is what close(2) does. */
export const closeFile = <F extends Fault>(
  { call }: KernelSide<F>,
  { flags, nodeid, open }: OpenFile
): Answered<void, F> => {
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
export const usingFile = <A, F extends Fault>(
  kernel: KernelSide<F>,
  file: OpenFile,
  body: (file: OpenFile) => Answered<A, F>
): Answered<A, F> =>
  Effect.matchEffect(body(file), {
    onFailure: (error) => Effect.andThen(Effect.ignore(closeFile(kernel, file)), Effect.fail(error)),
    onSuccess: (value) => Effect.as(closeFile(kernel, file), value)
  })

/** One READ of up to `size` bytes. */
const readOnce = <F extends Fault>(
  { call }: KernelSide<F>,
  { flags, nodeid, open }: OpenFile,
  offset: number,
  size: number
): Answered<Uint8Array, F> =>
  Effect.map(call({ op: "read", nodeid, fh: open?.fh ?? 0, offset, size, readFlags: 0, lockOwner: 0, flags }), (data) =>
    data instanceof Uint8Array ? data : Buffer.concat([...data])
  )

/** Reads up to `size` bytes from `offset` on; fewer where the file ends. */
export const readSome = <F extends Fault>(
  kernel: KernelSide<F>,
  file: OpenFile,
  offset: number,
  size: number
): Answered<Uint8Array, F> =>
  Effect.gen(function* () {
    if (size <= transferSize) return yield* readOnce(kernel, file, offset, size)
    const parts: Array<Uint8Array> = []
    for (let at = 0; at < size;) {
      const asked = Math.min(transferSize, size - at)
      const part = yield* readOnce(kernel, file, offset + at, asked)
      parts.push(part)
      at += part.length
      if (part.length < asked) break
    }
    return Buffer.concat(parts)
  })

/** Reads a file to its end. */
export const readAll = <F extends Fault>(kernel: KernelSide<F>, file: OpenFile): Answered<Buffer, F> =>
  Effect.gen(function* () {
    const { open } = file
    const direct = open !== undefined && (open.openFlags & openReplyFlags.FOPEN_DIRECT_IO) !== 0
    const parts: Array<Uint8Array> = []
    for (let offset = 0; ;) {
      const part = yield* readOnce(kernel, file, offset, transferSize)
      parts.push(part)
      offset += part.length
      // Past the cache a short answer is not the end, only an empty one.
      if (part.length === 0 || (!direct && part.length < transferSize)) return Buffer.concat(parts)
    }
  })

/** Writes bytes from `start` on, by default the file's beginning; `writeFlags` are FUSE_WRITE_*. */
export const writeAll = <F extends Fault>(
  kernel: KernelSide<F>,
  { flags, nodeid, open }: OpenFile,
  bytes: Uint8Array,
  start = 0,
  writeFlags = 0
): Answered<void, F> =>
  Effect.gen(function* () {
    const most = Math.min(transferSize, kernel.agreed()?.maxWrite ?? transferSize)
    for (let offset = 0; offset < bytes.length;) {
      const data = bytes.subarray(offset, offset + most)
      const written = yield* kernel.call({
        op: "write",
        nodeid,
        fh: open?.fh ?? 0,
        offset: start + offset,
        size: data.length,
        writeFlags,
        lockOwner: 0,
        flags,
        data
      })
      if (written === 0) return yield* Errno.EIO
      offset += written
    }
  })

/** Reads an open directory's names, without `.` and `..`. */
export const listNames = <F extends Fault>(
  kernel: KernelSide<F>,
  walk: Walk<F>,
  nodeid: U64,
  fh: U64
): Answered<ReadonlyArray<Name>, F> =>
  Effect.map(listEntries(kernel, walk, nodeid, fh), (entries) => entries.map(({ name }) => name))

/** As `listNames`, with each name's type (DT_*). */
export const listEntries = <F extends Fault>(
  kernel: KernelSide<F>,
  walk: Walk<F>,
  nodeid: U64,
  fh: U64
): Answered<ReadonlyArray<Pick<Dirent, "name" | "type">>, F> =>
  Effect.gen(function* () {
    const names: Array<Pick<Dirent, "name" | "type">> = []
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
        names.push({ name: entry.name, type: entry.type })
      }
      if (offset === before) return names
    }
  })
