import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkPostgres, postgres } from "../../src/index.ts"
import { compareWithMemory } from "../posix/likeMemory.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

it.live("a database answers as memory does, and is the same when it is opened anew", () =>
  compareWithMemory(
    (clock) =>
      Effect.map(newStore(cluster), (url) => ({
        serve: (held) => serveStore(postgres(url, { clock }), "c", held),
        problems: Effect.map(checkPostgres(url), ({ problems }) => problems)
      })),
    15
  )
)
