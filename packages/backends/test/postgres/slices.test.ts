/** Operations whose work grows with a file: others are served in between, and what is left at any moment is whole. */
import { assert, describe, it } from "@effect/vitest"
import type { ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { checkPostgres, postgres } from "../../src/index.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FATTR_SIZE,
  SEEK_HOLE
} from "../../src/posix/linux.ts"
import { makeKernel, outcome, rootNode } from "../posix/kernel.ts"
import { connection, negotiated } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()
const mib = 2 ** 20
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** A mount of a store, by what the kernel does. */
const kernelOf = Effect.fnUntraced(function* (url: string) {
  const backend = yield* postgres(url)
  yield* backend.init?.(negotiated, connection("c", new Set(), [])) ?? Effect.void
  return makeKernel(backend)
})

type Kernel = Effect.Success<ReturnType<typeof kernelOf>>

/** How often another caller is answered while an operation is under way. */
const servedDuring = Effect.fnUntraced(function* (kernel: Kernel, operation: Effect.Effect<unknown, ErrnoError>) {
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

const blocksOf = (kernel: Kernel, nodeid: number | bigint) =>
  Effect.map(kernel.getattr(nodeid), ({ blocks }) => Number(blocks) / 8)

const isClean = (url: string) =>
  Effect.map(checkPostgres(url), ({ problems }) => assert.deepStrictEqual(problems, [], "problems of the store"))

describe("a large file", () => {
  it.live("is allocated, zeroed, punched, searched and cut off while others are served", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const kernel = yield* kernelOf(url)
      const { nodeid } = yield* kernel.create({ name: "large" })
      const blocks = blocksOf(kernel, nodeid)
      const during = (operation: Effect.Effect<unknown, ErrnoError>) => servedDuring(kernel, operation)

      assert.isAtLeast(yield* during(kernel.fallocate(nodeid, 0, 100, 384 * mib)), 3)
      assert.deepStrictEqual(
        [yield* blocks, (yield* kernel.getattr(nodeid)).size],
        [(384 * mib) / 4096 + 1, 384 * mib + 100]
      )
      yield* kernel.write(nodeid, 256 * mib, new Uint8Array(65536).fill(7))
      assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_HOLE), 384 * mib + 100)
      yield* isClean(url)

      const punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
      assert.isAtLeast(yield* during(kernel.fallocate(nodeid, punch, 4096, 192 * mib)), 2)
      assert.strictEqual(yield* blocks, (192 * mib) / 4096 + 1)
      assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_HOLE), 4096)
      assert.isAtLeast(yield* during(kernel.fallocate(nodeid, FALLOC_FL_ZERO_RANGE, 0, 320 * mib)), 3)
      assert.deepStrictEqual(yield* kernel.read(nodeid, 256 * mib, 8), new Uint8Array(8))
      yield* isClean(url)

      assert.isAtLeast(yield* during(kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 5000 })), 3)
      assert.deepStrictEqual([yield* blocks, (yield* kernel.getattr(nodeid)).size], [2, 5000])
      yield* isClean(url)
    })
  )

  it.live("that there is no room for is refused at once, and nothing is done of it", () =>
    Effect.gen(function* () {
      const kernel = yield* kernelOf(yield* newStore(cluster))
      const { nodeid } = yield* kernel.create({ name: "huge" })
      for (const mode of [0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE])
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, mode, 4096, 2 ** 60)), "ENOSPC", String(mode))
      assert.strictEqual(yield* blocksOf(kernel, nodeid), 0)
    })
  )

  it.live("whose allocation is stopped keeps what was done, and the store is whole", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const kernel = yield* kernelOf(url)
      const { nodeid } = yield* kernel.create({ name: "stopped" })
      const blocks = blocksOf(kernel, nodeid)
      const working = yield* Effect.forkChild(kernel.fallocate(nodeid, 0, 0, 4096 * mib))
      while ((yield* blocks) === 0) yield* turn
      yield* Fiber.interrupt(working)
      const done = yield* blocks
      assert.isBelow(done, (4096 * mib) / 4096)
      assert.strictEqual((yield* kernel.getattr(nodeid)).size, 0)
      yield* kernel.mkdir({ name: "after" })
      assert.strictEqual(yield* blocks, done)
      yield* isClean(url)
    })
  )
})
