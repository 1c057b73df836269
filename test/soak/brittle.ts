/** Operations that fail at random, for the soak. */
import type { AsyncBackend, Backend } from "bickford"
import * as Effect from "effect/Effect"

let count = 0

/** Operations that have died so far. */
export const deaths = (): number => count

/** The operation, which dies now and then before it does anything, and takes a moment now and then. */
const brittle =
  (operation: (...args: ReadonlyArray<never>) => unknown) =>
  (...args: ReadonlyArray<never>): unknown => {
    const chance = Math.random()
    if (chance < 0.005) {
      count++
      throw new Error("an operation that throws")
    }
    if (chance < 0.01) {
      count++
      return Effect.andThen(Effect.yieldNow, Effect.die(new Error("an operation that dies")))
    }
    if (chance > 0.1) return operation(...args)
    return Effect.andThen(
      Effect.sleep(chance * 20),
      Effect.suspend(() => operation(...args) as Effect.Effect<unknown>)
    )
  }

const names = [
  "lookup",
  "getattr",
  "setattr",
  "mkdir",
  "create",
  "unlink",
  "rmdir",
  "rename",
  "link",
  "read",
  "write",
  "readdir",
  "readdirplus"
] as const
/** Those operations of a backend that say nothing of success, brittle. */
export const brittleOperations = (backend: AsyncBackend): Partial<Backend> =>
  Object.fromEntries(
    names.map((name) => {
      const operation: unknown = Reflect.get(backend, name)
      return [
        name,
        typeof operation === "function" ? brittle((...args) => Reflect.apply(operation, backend, args)) : undefined
      ]
    })
  )
