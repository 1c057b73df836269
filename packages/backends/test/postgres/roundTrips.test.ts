/** How many statements a call costs, each of them a round trip. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { postgres } from "../../src/index.ts"
import type { RunStatement } from "../../src/postgres/database.ts"
import { openStore } from "../../src/postgres/openStore.ts"
import { serveStore as serveOpened } from "../../src/postgres/postgres.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

it.live("a call costs no more round trips than it has to", () =>
  Effect.gen(function* () {
    const url = yield* newStore(cluster)
    let unique = 2
    const first = yield* serveStore(postgres(url), "c")
    const { nodeid: directory } = yield* first.call("mkdir", { name: "d" }, { unique: (unique += 2) })
    for (const name of ["a", "b", "c", "gone"])
      yield* first.call("create", { nodeid: directory, name }, { unique: (unique += 2) })
    const { entry: cold } = yield* first.call("create", { nodeid: directory, name: "cold" }, { unique: (unique += 2) })
    yield* first.call("write", { nodeid: cold.nodeid, data: new Uint8Array(400_000) }, { unique: (unique += 2) })
    yield* first.kill

    // Nothing is in memory but the root. What no call asks for, as the sign of life each second, is not counted.
    const opened = yield* openStore(url, {})
    let statements = 0
    const run: RunStatement = (statement, parameters) => {
      if (statement.name !== "beat" && statement.name !== "sweep") statements++
      return opened.database.run(statement, parameters)
    }
    const { call } = yield* serveStore(serveOpened({ ...opened, database: { ...opened.database, run } }, {}), "c")
    const cost = Effect.fnUntraced(function* (most: number, what: string, body: Effect.Effect<unknown, unknown>) {
      const before = statements
      yield* body
      assert.isAtMost(statements - before, most, what)
    })
    const named = (name: string) => ({ nodeid: directory, name })
    const next = () => ({ unique: (unique += 2) })
    const lookup = (name: string) => Effect.suspend(() => call("lookup", named(name), next()))
    const { nodeid: file } = (yield* call("lookup", named("a"), next())) as { readonly nodeid: number }
    yield* cost(1, "lookup of a name that is not in memory", lookup("b"))
    yield* cost(0, "lookup of one that is", lookup("b"))
    yield* cost(0, "getattr", call("getattr", { nodeid: file }, next()))
    yield* cost(1, "write to a new file", call("write", { nodeid: file, data: new Uint8Array(100) }, next()))
    yield* cost(0, "read of what is in memory", call("read", { nodeid: file, size: 100 }, next()))
    yield* cost(2, "create", call("create", named("new"), next()))
    yield* cost(2, "mkdir", call("mkdir", named("newer"), next()))
    yield* cost(2, "unlink", call("unlink", named("gone"), next()))
    yield* cost(
      3,
      "rename of two names that are not in memory",
      call("rename", { ...named("c"), newdir: directory, newname: "e" }, next())
    )
    // The inode, the chunks at both ends, and the unit.
    yield* cost(
      3,
      "write into a file of which nothing is in memory",
      call("write", { nodeid: cold.nodeid, offset: 1000, data: new Uint8Array(200_000) }, next())
    )
    yield* cost(
      1,
      "write beside it",
      call("write", { nodeid: cold.nodeid, offset: 1000, data: new Uint8Array(10) }, next())
    )
    yield* cost(
      2,
      "write elsewhere in it",
      call("write", { nodeid: cold.nodeid, offset: 300_000, data: new Uint8Array(10) }, next())
    )
    yield* cost(1, "create where the name is known to be free", call("create", named("gone"), next()))
  })
)
