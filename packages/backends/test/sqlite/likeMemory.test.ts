import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkStore } from "../../src/index.ts"
import { compareWithMemory } from "../posix/likeMemory.ts"
import { serve } from "./server.ts"
import { newStore } from "./store.ts"

it.live("a store answers as memory does, and is the same when it is opened anew", () =>
  compareWithMemory(
    (clock) =>
      Effect.map(newStore, (path) => ({
        serve: (held) => serve(path, "c", held, { clock }),
        problems: Effect.map(checkStore(path), ({ problems }) => problems)
      })),
    120
  )
)
