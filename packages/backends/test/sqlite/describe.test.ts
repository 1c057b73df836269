/** What is told of a store, served or not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { describeStore, sqlite } from "../../src/index.ts"
import { bytes, makeKernel } from "../posix/kernel.ts"
import { newStore } from "./store.ts"

describe("describing a store", () => {
  it.effect("tells what it holds, and of one that is served its sizes alone; changes nothing", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          const { nodeid } = yield* kernel.create({ name: "file" })
          yield* kernel.write(nodeid, 0, bytes("x".repeat(5000)))
          const served = yield* describeStore(path)
          assert.isUndefined(served.content)
          assert.isAbove(served.fileBytes, 0)
        })
      )
      const { mtimeMs, size } = statSync(path)
      const { content, fileBytes } = yield* describeStore(path)
      assert.deepInclude(content, { inodes: 2, bytes: 8192, orphans: 0, deadContents: 0 })
      assert.deepStrictEqual([fileBytes, statSync(path).mtimeMs], [size, mtimeMs])
      assert.isFalse(existsSync(`${path}-shm`))
    })
  )

  it.effect("refuses what is no store", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      assert.match((yield* Effect.flip(describeStore(path))).message, /is not there/)
      writeFileSync(path, "no database at all, but long enough to be read as one".repeat(20))
      assert.strictEqual((yield* Effect.flip(describeStore(path)))._tag, "StoreUnusableError")
    })
  )
})
