/**
 * Operations whose work grows with a file: done a slice at a time, each committed on its own, while others are served in
 * between. The kernel keeps the file's other changes waiting meanwhile. Whatever a slice has left is a state that the
 * operation passes: space allocated so far, a hole or an end of the file on its way.
 */
import type { FallocateRequest, LseekRequest, SetattrRequest, U64 } from "@bickford/protocol"
import { add, fileSizeMax, min, shiftLeft, shiftRight, subtract } from "@bickford/protocol/arithmetic"
import { Errno, type ErrnoError, type Operation, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Bytes } from "./bytes.ts"
import type { Filesystem } from "./filesystem.ts"
import { hasValidTimes } from "./givenTimes.ts"
import type { Inode } from "./inode.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FATTR_GID,
  FATTR_MODE,
  FATTR_SIZE,
  FATTR_UID,
  SEEK_HOLE
} from "./linux.ts"
import { blockSize } from "./usage.ts"

/** A row holds 64 KiB of a file. */
const rowBits = 16
const rowSize = 1 << rowBits
/** Rows of a file that one slice makes, changes or removes: 64 MiB. */
const sliceRows = 1024
const sliceBytes = sliceRows * rowSize
/** Rows that a slice looks at only. */
const lookedRows = 16 * sliceRows
const blocksOfRow = rowSize / blockSize

/** The bytes of a file that are kept in rows of 64 KiB, of which those are there that have allocated blocks. */
export interface BytesInRows extends Bytes {
  /** The position (offset / 64 KiB) of a row after `position`, with `rows` others between them; undefined where there is none. */
  readonly rowAfter: (position: number, rows: number) => number | undefined
  /** Where the last `rows` rows begin, of those from `position` on; undefined where there are fewer. */
  readonly rowBeforeEnd: (position: number, rows: number) => number | undefined
}

/** A regular file. */
interface File {
  readonly inode: Inode
  readonly bytes: BytesInRows
}

/** What the slices of an operation need. */
export interface Sliced {
  /** The regular file with this node; undefined where there is none. */
  readonly file: (nodeid: U64) => File | undefined
  readonly usage: Pick<Filesystem["usage"], "room" | "noRoom">
  /** Runs what only looks at files: at once, unless something of the store has to be loaded for it. */
  readonly look: <A>(body: () => A) => Effect.Effect<A, ErrnoError>
  /** Whether a request was served before, and has its answer recorded. */
  readonly isRecorded: (context: RequestContext) => boolean
  /** Does a part of a longer operation, without a record, and commits it. */
  readonly part: (operation: Part) => Effect.Effect<unknown, ErrnoError>
}

type Part = () => Effect.Effect<unknown, ErrnoError>

/** Ends this turn of the event loop, so that other requests are served. */
export const pause = Effect.callback<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

const isSuccess = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/** Goes on with what was looked at, at once when it was. */
const andThen = <A, B>(
  looked: Effect.Effect<A, ErrnoError>,
  next: (found: A) => Effect.Effect<B, ErrnoError>
): Effect.Effect<B, ErrnoError> => (isSuccess(looked) ? next(looked.value) : Effect.flatMap(looked, next))

/** Runs parts, with others in between, until there are no more; then the last one, as the operation itself. */
const inTurn = <A>(
  sliced: Sliced,
  next: () => Part | undefined,
  last: () => Effect.Effect<A, ErrnoError>
): Effect.Effect<A, ErrnoError> =>
  Effect.gen(function* () {
    for (;;) {
      const part = yield* sliced.look(next)
      if (part === undefined) return yield* last()
      yield* sliced.part(part)
      yield* pause
    }
  })

type ErrnoExit = Exit.Exit<never, ErrnoError>
type Fallocate = Operation<FallocateRequest>

/** What becomes of an allocation: refused, done at once, or slice by slice. */
const fateOf = (sliced: Sliced, { length, mode, nodeid, offset }: FallocateRequest): "now" | "sliced" | ErrnoExit => {
  const end = add(offset, length)
  const file = sliced.file(nodeid)
  const action = mode & ~FALLOC_FL_KEEP_SIZE
  const known = action === 0 || action === FALLOC_FL_ZERO_RANGE || mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
  // What is refused is refused at once, and the whole of a file is punched at once.
  if (file === undefined || end > fileSizeMax || !known) return "now"
  if (action === FALLOC_FL_PUNCH_HOLE) return offset === 0 && end >= file.inode.size ? "now" : "sliced"
  const { uid } = file.inode
  return shiftRight(length, 12) - file.bytes.blocks > sliced.usage.room(uid) ? sliced.usage.noRoom(uid) : "sliced"
}

/** `now` does it at once, and records it; `part` does it without a record. */
export const slicedFallocate = (sliced: Sliced, now: Fallocate, part: Fallocate): Fallocate => {
  /** Where the slice ends that begins at `at`. */
  const stopOf = (request: FallocateRequest, at: U64, end: U64): U64 => {
    if ((request.mode & FALLOC_FL_PUNCH_HOLE) === 0)
      return min(end, shiftLeft(shiftRight(at, rowBits) + sliceRows, rowBits))
    const position = sliced.file(request.nodeid)?.bytes.rowAfter(shiftRight(at, rowBits), sliceRows)
    return position === undefined ? end : min(end, shiftLeft(position, rowBits))
  }
  return (request, context) => {
    const { length, mode, offset } = request
    if (length <= sliceBytes || sliced.isRecorded(context)) return now(request, context)
    const end = add(offset, length)
    let at = offset
    const next = (): Part | undefined => {
      const from = at
      const stop = stopOf(request, from, end)
      if (stop >= end) return undefined
      return () => {
        at = stop
        return part(
          { ...request, mode: mode | FALLOC_FL_KEEP_SIZE, offset: from, length: subtract(stop, from) },
          context
        )
      }
    }
    return andThen(
      sliced.look(() => fateOf(sliced, request)),
      (fate) => {
        if (fate === "now") return now(request, context)
        if (fate !== "sliced") return fate
        return inTurn(sliced, next, () => now({ ...request, offset: at, length: subtract(end, at) }, context))
      }
    )
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
    if (!hasValidTimes(request) || sliced.isRecorded(context)) return now(request, context)
    const first = shiftRight(size, rowBits) + 1
    const next = (): Part | undefined => {
      const position = sliced.file(nodeid)?.bytes.rowBeforeEnd(first, sliceRows)
      return position === undefined
        ? undefined
        : () => part({ ...request, valid: FATTR_SIZE, size: shiftLeft(position, rowBits) }, context)
    }
    const isLarge = (): boolean => {
      const file = sliced.file(nodeid)
      return file !== undefined && size < file.inode.size && file.bytes.blocks > sliceRows * blocksOfRow
    }
    return andThen(sliced.look(isLarge), (large) =>
      large ? inTurn(sliced, next, () => now(request, context)) : now(request, context)
    )
  }

/** A hole is looked for in a file of which much is allocated. */
export const slicedLseek =
  (sliced: Sliced, now: Operation<LseekRequest>): Operation<LseekRequest> =>
  (request, context) => {
    const { nodeid, offset, whence } = request
    if (whence !== SEEK_HOLE) return now(request, context)
    let at = offset
    const look = (): U64 | undefined | typeof Errno.ESTALE => {
      const { bytes, inode } = sliced.file(nodeid) ?? {}
      if (bytes === undefined || inode === undefined) return Errno.ESTALE
      const end = min(inode.size, shiftLeft(shiftRight(at, rowBits) + lookedRows, rowBits))
      at = bytes.hole(at, end)
      return at < end || end === inode.size ? at : undefined
    }
    const isLarge = (): boolean => {
      const file = sliced.file(nodeid)
      return file !== undefined && offset < file.inode.size && file.bytes.blocks > lookedRows * blocksOfRow
    }
    return andThen(sliced.look(isLarge), (large) => {
      if (!large) return now(request, context)
      return Effect.gen(function* () {
        for (;;) {
          const found = yield* sliced.look(look)
          if (found !== undefined) return typeof found === "object" ? yield* found : found
          yield* pause
        }
      })
    })
  }
