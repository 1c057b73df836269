/**
 * Operations whose work grows with a file: done a slice at a time, each committed on its own, while others are served in
 * between. The kernel keeps the file's other changes waiting meanwhile. Whatever a slice has left is a state that the
 * operation passes: space allocated so far, a hole or an end of the file on its way.
 */
import type { FallocateRequest, LseekRequest, SetattrRequest, U64 } from "@bickford/protocol"
import { add, fileSizeMax, min, shiftLeft, shiftRight, subtract } from "@bickford/protocol/arithmetic"
import { Errno, type ErrnoError, type Operation } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Filesystem } from "../posix/filesystem.ts"
import { hasValidTimes } from "../posix/givenTimes.ts"
import { type Inode, isRegular } from "../posix/inode.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FATTR_GID,
  FATTR_MODE,
  FATTR_SIZE,
  FATTR_UID,
  SEEK_HOLE
} from "../posix/linux.ts"
import { blockSize } from "../posix/usage.ts"
import { StoredBytes } from "./bytes.ts"
import { pause, type Runner } from "./once.ts"
import { chunkSize } from "./schema.ts"

/** Rows of a file that one slice makes, changes or removes: 64 MiB. */
const sliceRows = 1024
const sliceBytes = sliceRows * chunkSize
/** Rows that a slice looks at only. */
const lookedRows = 16 * sliceRows
const chunkBits = 16
const blocksOfRow = chunkSize / blockSize

/** What the slices of an operation need. */
interface Sliced {
  readonly fs: Filesystem
  readonly runner: Pick<Runner, "isRecorded" | "part">
}

type Part = () => Effect.Effect<unknown, ErrnoError>

/** Runs parts, with others in between, until there are no more; then the last one, as the operation itself. */
const inTurn = <A>(
  runner: Sliced["runner"],
  next: () => Part | undefined,
  last: () => Effect.Effect<A, ErrnoError>
): Effect.Effect<A, ErrnoError> =>
  Effect.gen(function* () {
    for (let part = next(); part !== undefined; part = next()) {
      yield* runner.part(part)
      yield* pause
    }
    return yield* last()
  })

const fileOf = ({ fs }: Sliced, nodeid: U64): { readonly inode: Inode; readonly bytes: StoredBytes } | undefined => {
  const inode = fs.node(nodeid)
  if (inode === undefined || !isRegular(inode)) return undefined
  const bytes = fs.bytes(inode)
  return bytes instanceof StoredBytes ? { inode, bytes } : undefined
}

type Fallocate = Operation<FallocateRequest>

/** `now` does it at once, and records it; `part` does it without a record. */
export const slicedFallocate = (sliced: Sliced, now: Fallocate, part: Fallocate): Fallocate => {
  /** Where the slice ends that begins at `at`. */
  const stopOf = (request: FallocateRequest, at: U64, end: U64): U64 => {
    if ((request.mode & FALLOC_FL_PUNCH_HOLE) === 0)
      return min(end, shiftLeft(shiftRight(at, chunkBits) + sliceRows, chunkBits))
    const position = fileOf(sliced, request.nodeid)?.bytes.rowAfter(shiftRight(at, chunkBits), sliceRows)
    return position === undefined ? end : min(end, shiftLeft(position, chunkBits))
  }
  return (request, context) => {
    const { length, mode, nodeid, offset } = request
    if (length <= sliceBytes || sliced.runner.isRecorded(context)) return now(request, context)
    const end = add(offset, length)
    const file = fileOf(sliced, nodeid)
    const action = mode & ~FALLOC_FL_KEEP_SIZE
    const known =
      action === 0 || action === FALLOC_FL_ZERO_RANGE || mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
    // What is refused is refused at once, and the whole of a file is punched at once.
    if (file === undefined || end > fileSizeMax || !known) return now(request, context)
    if (action === FALLOC_FL_PUNCH_HOLE) {
      if (offset === 0 && end >= file.inode.size) return now(request, context)
    } else if (shiftRight(length, 12) - file.bytes.blocks > sliced.fs.usage.room(file.inode.uid)) {
      return sliced.fs.usage.noRoom(file.inode.uid)
    }
    let at = offset
    const next = (): Part | undefined => {
      const from = at
      const stop = stopOf(request, from, end)
      if (stop >= end) return undefined
      return () => {
        const exit = part(
          { ...request, mode: mode | FALLOC_FL_KEEP_SIZE, offset: from, length: subtract(stop, from) },
          context
        )
        at = stop
        return exit
      }
    }
    return inTurn(sliced.runner, next, () => now({ ...request, offset: at, length: subtract(end, at) }, context))
  }
}

type Setattr = Operation<SetattrRequest>

/** A file is cut off from its end. */
export const slicedSetattr =
  (sliced: Sliced, now: Setattr, part: Setattr): Setattr =>
  (request, context) => {
    const { nodeid, size, valid } = request
    if ((valid & FATTR_SIZE) === 0 || size === 0 || (valid & (FATTR_UID | FATTR_GID | FATTR_MODE)) !== 0)
      return now(request, context)
    const file = fileOf(sliced, nodeid)
    if (file === undefined || size >= file.inode.size || file.bytes.blocks <= sliceRows * blocksOfRow)
      return now(request, context)
    if (!hasValidTimes(request) || sliced.runner.isRecorded(context)) return now(request, context)
    const first = shiftRight(size, chunkBits) + 1
    const next = (): Part | undefined => {
      const position = fileOf(sliced, nodeid)?.bytes.rowBeforeEnd(first, sliceRows)
      return position === undefined
        ? undefined
        : () => part({ ...request, valid: FATTR_SIZE, size: shiftLeft(position, chunkBits) }, context)
    }
    return inTurn(sliced.runner, next, () => now(request, context))
  }

/** A hole is looked for in a file of which much is allocated. */
export const slicedLseek =
  (sliced: Sliced, now: Operation<LseekRequest>): Operation<LseekRequest> =>
  (request, context) => {
    const { nodeid, offset, whence } = request
    const file = whence === SEEK_HOLE ? fileOf(sliced, nodeid) : undefined
    if (file === undefined || offset >= file.inode.size || file.bytes.blocks <= lookedRows * blocksOfRow)
      return now(request, context)
    let at = offset
    const look = Effect.suspend((): Effect.Effect<U64 | undefined, ErrnoError> => {
      const { bytes, inode } = fileOf(sliced, nodeid) ?? {}
      if (bytes === undefined || inode === undefined) return Errno.ESTALE
      const end = min(inode.size, shiftLeft(shiftRight(at, chunkBits) + lookedRows, chunkBits))
      at = bytes.hole(at, end)
      return Exit.succeed(at < end || end === inode.size ? at : undefined)
    })
    return Effect.gen(function* () {
      for (;;) {
        const found = yield* look
        if (found !== undefined) return found
        yield* pause
      }
    })
  }
