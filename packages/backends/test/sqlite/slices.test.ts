/** Operations whose work grows with a file: others are served in between, and what is left at any moment is whole. */
import { assert, describe, it } from "@effect/vitest"
import type { ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { checkStore, sqlite } from "../../src/index.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FATTR_SIZE,
  SEEK_HOLE
} from "../../src/posix/linux.ts"
import { makeKernel, outcome, rootNode } from "../posix/kernel.ts"
import { newStore } from "./store.ts"

const gib = 2 ** 30
const kib = 1024
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** How often another caller is answered while an operation is under way. */
const servedDuring = Effect.fnUntraced(function* (
  kernel: ReturnType<typeof makeKernel>,
  operation: Effect.Effect<unknown, ErrnoError>
) {
  const working = yield* Effect.forkChild(operation)
  let served = 0
  while (working.pollUnsafe() === undefined) {
    yield* kernel.mkdir({ name: `d${served}` })
    yield* kernel.rmdir(rootNode, `d${served++}`)
    yield* turn
  }
  yield* Fiber.join(working)
  return served
})

describe("a large file", () => {
  it.live("is allocated, zeroed, punched, searched and cut off while others are served", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          const { nodeid } = yield* kernel.create({ name: "large" })
          const blocks = Effect.map(kernel.getattr(nodeid), (attr) => Number(attr.blocks) / 8)
          const during = (operation: Effect.Effect<unknown, ErrnoError>) => servedDuring(kernel, operation)

          assert.isAtLeast(yield* during(kernel.fallocate(nodeid, 0, 100, 1.5 * gib)), 3)
          assert.deepStrictEqual(
            [yield* blocks, (yield* kernel.getattr(nodeid)).size],
            [(1.5 * gib) / 4096 + 1, 1.5 * gib + 100]
          )
          yield* kernel.write(nodeid, gib, new Uint8Array(64 * kib).fill(7))
          assert.isAtLeast(yield* during(kernel.lseek(nodeid, 5, SEEK_HOLE)), 1)
          assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_HOLE), 1.5 * gib + 100)

          assert.isAtLeast(
            yield* during(kernel.fallocate(nodeid, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * kib, gib / 2)),
            3
          )
          assert.strictEqual(yield* blocks, gib / 4096 + 1)
          assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_HOLE), 4 * kib)
          assert.isAtLeast(yield* during(kernel.fallocate(nodeid, FALLOC_FL_ZERO_RANGE, 0, 1.25 * gib)), 3)
          assert.deepStrictEqual(yield* kernel.read(nodeid, gib, 8), new Uint8Array(8))
          assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_HOLE), 1.5 * gib + 100)

          assert.isAtLeast(yield* during(kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 5000 })), 3)
          assert.deepStrictEqual([yield* blocks, (yield* kernel.getattr(nodeid)).size], [2, 5000])
        })
      )
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
    })
  )

  it.live("that the disk has no room for is refused at once, and nothing is done of it", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(yield* sqlite(yield* newStore))
      const { nodeid } = yield* kernel.create({ name: "huge" })
      yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 2n ** 63n - 1n })
      for (const mode of [0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE]) {
        for (const [offset, length] of [
          [0, 2n ** 63n - 1n],
          [4096, 2 ** 60],
          [2n ** 62n, 2n ** 62n - 1n]
        ] as const) {
          assert.strictEqual(
            yield* outcome(kernel.fallocate(nodeid, mode, offset, length)),
            "ENOSPC",
            `${mode} ${offset} ${length}`
          )
        }
      }
      // A sparse file's holes cost nothing.
      yield* kernel.write(nodeid, 2n ** 62n, new Uint8Array(10))
      yield* kernel.fallocate(nodeid, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2n ** 63n - 2n)
      assert.strictEqual((yield* kernel.getattr(nodeid)).blocks, 0)
      assert.strictEqual(yield* kernel.lseek(nodeid, 1, SEEK_HOLE), 1)
    })
  )

  it.live("whose allocation is stopped keeps what was done, and the store is whole", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          const { nodeid } = yield* kernel.create({ name: "stopped" })
          const blocks = Effect.map(kernel.getattr(nodeid), (attr) => Number(attr.blocks) / 8)
          const working = yield* Effect.forkChild(kernel.fallocate(nodeid, 0, 0, 4 * gib))
          while ((yield* blocks) === 0) yield* turn
          yield* Fiber.interrupt(working)
          const done = yield* blocks
          assert.isBelow(done, (4 * gib) / 4096)
          assert.strictEqual((yield* kernel.getattr(nodeid)).size, 0)
          yield* turn
          assert.strictEqual(yield* blocks, done)
        })
      )
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
    })
  )
})
