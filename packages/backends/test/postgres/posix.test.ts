import { assert } from "@effect/vitest"
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

/** A store that is served, and checked when its test ends. */
const make: Make = (options) =>
  Effect.gen(function* () {
    const url = yield* newStore(cluster)
    const { backend, commit } = yield* serveStore(postgres(url, options), "c")
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        yield* commit
        assert.deepStrictEqual((yield* checkPostgres(url)).problems, [])
      }).pipe(Effect.orDie)
    )
    return { ...backend, invariants: () => [] }
  })

testNames(make)
testAttributes(make)
testData(make)
testDirectoryNames(make)
