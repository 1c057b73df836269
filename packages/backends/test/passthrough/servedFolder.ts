/** A served folder, for tests that ask it as a kernel asks. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { passthrough, type PassthroughOptions } from "../../src/index.ts"
import { makeKernel } from "../posix/kernel.ts"

/** A folder `served`, beside which is what is not to be reached. */
export const start = (options: PassthroughOptions = {}) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "bickford-passthrough-")))),
      (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
    )
    const served = join(folder, "served")
    const outside = join(folder, "outside")
    fs.mkdirSync(served)
    fs.mkdirSync(outside)
    fs.writeFileSync(join(outside, "secret"), "secret")
    const backend = yield* passthrough(served, { kernelPassthrough: false, ...options })
    yield* Effect.addFinalizer(() => Effect.sync(() => assert.deepStrictEqual(backend.invariants(), [])))
    return { backend, kernel: makeKernel(backend), served, outside }
  })

/** As the kernel does a call anew, once, when a name may be stale: as one who comes by no name. */
export const comingBack = <A, E extends { readonly _tag: string }, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.catchIf(
    call,
    ({ _tag }) => _tag === "ESTALE",
    () => call
  )

export const errnoOf = (effect: Effect.Effect<unknown, { readonly _tag: string }>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)
