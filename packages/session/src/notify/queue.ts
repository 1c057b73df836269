/**
 * The queue of notifications: one is written at a time, by another thread, in the order in which they were queued.
 */
import { errnoNumbers } from "@bickford/protocol"
import type { FrameTransport } from "@bickford/transport"
import * as Effect from "effect/Effect"

export interface NotificationQueue {
  readonly isEnded: () => boolean
  /** Queues a frame; the bytes must stay as they are until it is taken. 0, or a negative errno. */
  readonly enqueue: (parts: ReadonlyArray<Uint8Array>) => Promise<number>
  /** As `enqueue`, and waits. Interrupted before its turn, it is not sent. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => Effect.Effect<number>
  /** Whoever waits for the kernel, or for its turn, gets -ENOTCONN, and nothing more is sent. */
  readonly end: () => void
}

export const makeNotificationQueue = (transport: FrameTransport): NotificationQueue => {
  let last: Promise<unknown> = Promise.resolve()
  let ended = false
  /** Those who wait for the kernel, or for their turn. */
  const pending = new Set<() => void>()

  /** In its turn, unless it is not `wanted` any more: 0 or a negative errno. */
  const enqueue = (parts: ReadonlyArray<Uint8Array>, wanted: () => boolean): Promise<number> => {
    const result = last.then(() => (ended ? -errnoNumbers.ENOTCONN : wanted() ? transport.notify(...parts) : 0))
    // One that could not be written does not hold up the others.
    last = result.catch(() => undefined)
    return result
  }

  return {
    isEnded: () => ended,
    enqueue: (parts) => enqueue(parts, () => true),
    write: (parts) =>
      Effect.callback<number>((resume) => {
        let wanted = true
        const stop = (): void => resume(Effect.succeed(-errnoNumbers.ENOTCONN))
        pending.add(stop)
        void enqueue(parts, () => wanted)
          .then(
            (result) => resume(Effect.succeed(result)),
            (defect: unknown) => resume(Effect.die(defect))
          )
          .finally(() => pending.delete(stop))
        return Effect.sync(() => {
          wanted = false
          pending.delete(stop)
        })
      }),
    end: () => {
      ended = true
      for (const stop of pending) stop()
    }
  }
}
