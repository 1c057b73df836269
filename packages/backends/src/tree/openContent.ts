/** What the files of a tree hold, and how an open one is read. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { bytes } from "../path/data.ts"

/**
 * What a file holds: text, bytes, or a stream of either. A stream is run for each open file, as far as that is read, and
 * 1 MiB behind the last read is kept of it: for a read further back it is run anew, from its beginning.
 */
export type Content = string | Uint8Array | Stream.Stream<string | Uint8Array>

export interface OpenContent {
  /** Bytes from `offset` on, fewer than `size` where no more are there yet; none at the end. */
  readonly read: (size: number, offset: number) => Uint8Array | Effect.Effect<Uint8Array, unknown>
  readonly close: Effect.Effect<void>
}

type Part = string | Uint8Array

/** Bytes of a stream that are kept behind what was read last, for those who look at them again. */
const keptBehind = 1 << 20

/** A run of a stream, from its beginning. */
interface Run {
  readonly scope: Scope.Closeable
  readonly pull: Pull.Pull<ReadonlyArray<Part>, unknown>
  /** What is kept of it, in order; the first begins at `start`. */
  readonly chunks: Array<Uint8Array>
  start: number
  end: number
  /** There is no more. */
  over: boolean
}

const begin = (stream: Stream.Stream<Part>): Effect.Effect<Run> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const pull = yield* Scope.provide(Stream.toPull(stream), scope)
    return { scope, pull, chunks: [], start: 0, end: 0, over: false }
  })

/** Takes what the stream brings next. */
const advance = (run: Run): Effect.Effect<void, unknown> =>
  Effect.matchCauseEffect(run.pull, {
    onSuccess: (parts) =>
      Effect.sync(() => {
        for (const part of parts) {
          const chunk = bytes(part)
          run.chunks.push(chunk)
          run.end += chunk.length
        }
      }),
    onFailure: (cause) => {
      if (!cause.reasons.some((reason) => Cause.isFailReason(reason) && Cause.isDone(reason.error)))
        return Effect.failCause(cause)
      run.over = true
      return Effect.void
    }
  })

/** Lets go what lies far behind `offset`. */
const trim = (run: Run, offset: number): void => {
  let count = 0
  for (const chunk of run.chunks) {
    if (run.start + chunk.length > offset - keptBehind) break
    run.start += chunk.length
    count++
  }
  run.chunks.splice(0, count)
}

/** What is there of `size` bytes from `offset` on. */
const slice = (run: Run, size: number, offset: number): Uint8Array => {
  const parts: Array<Uint8Array> = []
  let at = run.start
  for (const chunk of run.chunks) {
    if (at >= offset + size) break
    if (at + chunk.length > offset) parts.push(chunk.subarray(Math.max(offset - at, 0), offset + size - at))
    at += chunk.length
  }
  return Buffer.concat(parts)
}

/**
 * Reads a stream as far as it is asked for. Who reads what is no longer kept has it run anew, as has who reads on after
 * it failed or was interrupted: a part may be lost then.
 */
const openStream = (stream: Stream.Stream<Part>): OpenContent => {
  const oneAtATime = Semaphore.makeUnsafe(1).withPermits(1)
  let current: Run | undefined

  const stop = Effect.suspend(() => {
    const run = current
    current = undefined
    return run === undefined ? Effect.void : Scope.close(run.scope, Exit.void)
  })

  const running = Effect.gen(function* () {
    return (current ??= yield* begin(stream))
  })

  const read = (size: number, offset: number) =>
    Effect.gen(function* () {
      if (current !== undefined && offset < current.start) yield* stop
      const run = yield* Effect.uninterruptible(running)
      while (!run.over && run.end <= offset) {
        yield* advance(run)
        trim(run, offset)
      }
      trim(run, offset)
      return slice(run, size, offset)
    }).pipe(
      Effect.onError(() => stop),
      oneAtATime
    )

  return { read, close: stop }
}

/** Opens a content: bytes as they are, a stream to be read as far as it is asked for. */
export const openContent = (content: Content): OpenContent => {
  if (Stream.isStream(content)) return openStream(content)
  const whole = bytes(content)
  return { read: (size, offset) => whole.subarray(offset, offset + size), close: Effect.void }
}
