/**
 * For mounts that several isolates serve: one file, whose READ does what the test says. Test and isolates share numbers by which they tell
 * each other what has happened.
 */
import { Errno, servedByIsolates } from "@bickford/session"
import type { AsyncBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { oneFile } from "../oneFile.ts"

/** The shared numbers, by their place. */
export const place = { asked: 0, instances: 1, interrupted: 2, fails: 3, destroyed: 4, served: 5 } as const

/** What each instance is told. */
export interface Failing {
  readonly read: keyof typeof reads
  readonly numbers: SharedArrayBuffer
}

const nonsense = [
  () => {
    throw new Error("a defect")
  },
  () => Effect.die("a defect"),
  () => Effect.andThen(Effect.sleep(1), Effect.die("a late defect")),
  () => Effect.succeed(Object.create(null)),
  () => Object.create(null),
  () => Promise.reject(Object.assign(new Error("no room"), { code: "ENOSPC" })),
  () => Effect.succeed(Buffer.from("hello"))
]

const spin = (): never => {
  for (;;) Math.random()
}

/** What READ does, given the numbers and which time it is asked. */
const reads = {
  right: () => Effect.succeed(Buffer.from("hello")),
  errno: () => Errno.EDQUOT,
  nonsense: (_numbers: Int32Array, time: number) => (nonsense[time - 1] ?? nonsense.at(-1) ?? spin)(),
  never: (numbers: Int32Array) =>
    Effect.onInterrupt(Effect.never, () => Effect.sync(() => Atomics.add(numbers, place.interrupted, 1))),
  /** The first is never answered. */
  once: (_numbers: Int32Array, time: number) => (time === 1 ? Effect.never : Effect.succeed(Buffer.from("hello"))),
  spin
} as const

/** Fails as often as the test has said, once `may`. */
const failing = (numbers: Int32Array, may: () => boolean) =>
  Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep("5 millis")
      const left = Atomics.load(numbers, place.fails)
      if (left > 0 && may() && Atomics.compareExchange(numbers, place.fails, left, left - 1) === left)
        return yield* Effect.fail("the database is gone")
    }
  })

const make = ({ numbers: memory, read }: Failing): AsyncBackend => {
  const numbers = new Int32Array(memory)
  let isAsked = false
  const file = oneFile({
    // The one that has the call that is not answered is the one that fails.
    run: failing(numbers, () => isAsked || read !== "once"),
    read: () => {
      isAsked = true
      return reads[read](numbers, Atomics.add(numbers, place.asked, 1) + 1)
    }
  })
  Atomics.add(numbers, place.instances, 1)
  return file
}

/** What each isolate serves. */
export const backend = (data: Failing): Effect.Effect<AsyncBackend> => Effect.sync(() => make(data))

/** What the mounting thread has, and the numbers. */
export const failingBackend = (read: Failing["read"]) => {
  const memory = new SharedArrayBuffer(4 * Object.keys(place).length)
  const numbers = new Int32Array(memory)
  const data: Failing = { read, numbers: memory }
  const source = Effect.sync(() =>
    servedByIsolates(oneFile({ destroy: () => Effect.sync(() => void Atomics.add(numbers, place.destroyed, 1)) }), {
      module: import.meta.url,
      data
    })
  )
  return { source, numbers }
}
