import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkPostgres, postgres } from "../../src/index.ts"
import { testAttributes } from "../posix/attributes.ts"
import { testData } from "../posix/data.ts"
import { testDirectoryNames } from "../posix/directory.ts"
import type { Make } from "../posix/make.ts"
import { testNames } from "../posix/namespace.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

/** Makes a store that is served, by one mount alone or as one of several, and checked when its test ends. */
const making =
  (manyHosts: boolean): Make =>
  (options) =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const { backend, commit } = yield* serveStore(postgres(url, { ...options, manyHosts }), "c")
      yield* Effect.addFinalizer(() =>
        Effect.gen(function* () {
          yield* commit
          assert.deepStrictEqual((yield* checkPostgres(url)).problems, [])
        }).pipe(Effect.orDie)
      )
      return { ...backend, invariants: () => [] }
    })

for (const manyHosts of [false, true])
  describe(manyHosts ? "a store that hosts share" : "a store", () => {
    const make = making(manyHosts)
    testNames(make)
    testAttributes(make)
    testData(make)
    testDirectoryNames(make)
  })
