/**
 * Mounts an empty memory filesystem at each directory that it is given, and prints, as JSON, what is resident when the
 * first is mounted and when all are, in bytes. Unmounts them when stdin ends.
 */
import { memory } from "@bickford/backends"
import { mount } from "@bickford/session"
import * as Effect from "effect/Effect"

declare const gc: (() => void) | undefined

/** Resident bytes once the collector has been. */
const resident = Effect.promise(async () => {
  for (let turn = 0; turn < 4; turn++) {
    gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage.rss()
})

const [first = "", ...others] = process.argv.slice(2)

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      yield* mount({ mountpoint: first, backend: memory() })
      const one = yield* resident
      for (const mountpoint of others) yield* mount({ mountpoint, backend: memory() })
      const all = yield* resident
      process.stdout.write(`${JSON.stringify({ one, all })}\n`)
      process.stdin.resume()
      yield* Effect.promise(() => new Promise((resolve) => process.stdin.once("end", resolve)))
    })
  )
)
