/** A request takes effect once, whatever becomes of its server and of the database's. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { checkPostgres, postgres } from "../../src/index.ts"
import { type Database, DatabaseError } from "../../src/postgres/database.ts"
import { openStore } from "../../src/postgres/openStore.ts"
import { serveStore as serveOpened } from "../../src/postgres/postgres.ts"
import { bytes, outcome } from "../posix/kernel.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"
import { makeUnnamed } from "../sqlite/unnamed.ts"

const cluster = useCluster()
const O_APPEND = 0o2000

const clean = (url: string) =>
  Effect.map(checkPostgres(url), ({ problems }) => assert.deepStrictEqual(problems, [], "problems of the store"))

describe("a request that is delivered again", () => {
  it.live("finds its recorded answer, and is not done twice", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const first = yield* serveStore(postgres(url), "c")
      const made = yield* first.call("mkdir", { name: "d", mode: 0o755 }, { unique: 2 })
      const file = yield* first.call("create", { name: "f" }, { unique: 4 })
      const { nodeid } = file.entry
      assert.strictEqual(yield* first.call("write", { nodeid, data: bytes("abc"), flags: O_APPEND }, { unique: 6 }), 3)
      yield* first.call("rename", { name: "f", newname: "g" }, { unique: 8 })
      yield* first.call("unlink", { name: "g" }, { unique: 10 })
      yield* first.call("setattr", { nodeid, valid: 8, size: 1 }, { unique: 2n ** 60n })
      const before = first.backend.stats()
      yield* first.kill

      const second = yield* serveStore(postgres(url), "c", [nodeid])
      const again = (unique: number | bigint) => ({ unique, resent: true })
      assert.strictEqual((yield* second.call("mkdir", { name: "d" }, again(2))).nodeid, made.nodeid)
      assert.strictEqual((yield* second.call("create", { name: "f" }, again(4))).entry.nodeid, nodeid)
      assert.strictEqual(yield* second.call("write", { nodeid, data: bytes("abc"), flags: O_APPEND }, again(6)), 3)
      yield* second.call("rename", { name: "f", newname: "g" }, again(8))
      yield* second.call("unlink", { name: "g" }, again(10))
      assert.strictEqual((yield* second.call("setattr", { nodeid, valid: 8, size: 1 }, again(2n ** 60n))).attr.size, 1)
      const { inodes, bytes: used } = second.backend.stats()
      assert.deepStrictEqual({ inodes, used }, { inodes: before.inodes, used: before.bytes })
      // One that was not served before is done.
      assert.strictEqual(yield* outcome(second.call("mkdir", { name: "d" }, again(12))), "EEXIST")
      yield* clean(url)
    })
  )

  it.live("is found although the connection was lost before the server's answer came", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const opened = yield* openStore(url, {})
      let losing = 0
      const database: Database = {
        ...opened.database,
        run: async (statement, parameters) => {
          const rows = await opened.database.run(statement, parameters)
          if (!statement.name.startsWith("unit") || losing-- <= 0) return rows
          throw new DatabaseError({ message: "the connection was lost", code: undefined })
        }
      }
      const server = yield* serveStore(serveOpened({ ...opened, database }, {}), "c")
      losing = 2
      const { nodeid } = yield* server.call("mkdir", { name: "d" }, { unique: 2 })
      losing = 1
      assert.strictEqual(yield* outcome(server.call("mkdir", { name: "d" }, { unique: 4 })), "EEXIST")
      yield* server.call("rename", { name: "d", newname: "e" }, { unique: 6 })
      assert.strictEqual((yield* server.call("lookup", { name: "e" }, { unique: 8 })).nodeid, nodeid)
      assert.strictEqual(server.backend.stats().inodes, 2)
      yield* clean(url)
    })
  )
})

describe("a database server that crashes", () => {
  it.live("is waited for, and no call is lost or done twice", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const server = yield* serveStore(postgres(url), "c")
      for (let round = 0; round < 3; round++) {
        const calls = Effect.forEach(
          Array.from({ length: 20 }, (_, n) => n),
          (n) => server.call("mkdir", { name: `d${round}-${n}` }, { unique: 1000 * (round + 1) + 2 * n })
        )
        const crash = Effect.sync(() => cluster().crash())
        yield* Effect.all([calls, Effect.andThen(Effect.sleep(5), crash)], { concurrency: 2 })
      }
      assert.strictEqual(server.backend.stats().inodes, 61)
      const { inodes } = yield* checkPostgres(url)
      assert.strictEqual(inodes, 61)
      yield* clean(url)
    })
  )

  it.live("that stays away is an error for those who wait, and served again when it is back", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const server = yield* serveStore(postgres(url, { grace: 0.2 }), "c")
      yield* server.call("mkdir", { name: "a" }, { unique: 2 })
      cluster().stop()
      const failed = yield* Effect.exit(server.call("mkdir", { name: "b" }, { unique: 4 }))
      cluster().start()
      assert.isTrue(Exit.isFailure(failed))
      yield* server.call("mkdir", { name: "c" }, { unique: 6 })
      assert.strictEqual(yield* outcome(server.call("mkdir", { name: "a" }, { unique: 8 })), "EEXIST")
      assert.strictEqual(server.backend.stats().inodes, 3)
      yield* clean(url)
    })
  )
})

describe("a store", () => {
  it.live("serves one mount at a time: one that is alive keeps it", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const first = yield* serveStore(postgres(url), "c")
      const second = yield* Effect.exit(serveStore(postgres(url), "another"))
      assert.isTrue(Exit.isFailure(second))
      assert.include(String(Exit.isFailure(second) ? second.cause : ""), `process ${process.pid} of host`)
      yield* first.call("mkdir", { name: "d" }, { unique: 2 })
      // One whose process serves it no longer does not.
      yield* first.kill
      const third = yield* serveStore(postgres(url), "another")
      assert.strictEqual((yield* third.call("lookup", { name: "d" }, { unique: 2 })).attr.nlink, 2)
    })
  )

  it.live("is left alone by a server that another one of the same mount has replaced", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const first = yield* serveStore(postgres(url), "c")
      yield* first.call("mkdir", { name: "a" }, { unique: 2 })
      const second = yield* serveStore(postgres(url), "c")
      yield* second.call("mkdir", { name: "b" }, { unique: 4 })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(first.call("mkdir", { name: "x" }, { unique: 6 }))))
      assert.strictEqual(yield* outcome(first.call("lookup", { name: "a" }, { unique: 8 })), "EIO")
      assert.strictEqual(yield* outcome(second.call("lookup", { name: "x" }, { unique: 10 })), "ENOENT")
      assert.strictEqual(second.backend.stats().inodes, 3)
      yield* clean(url)
    })
  )
})

describe("a file without a name", () => {
  it.live("stays while the kernel holds it, over a restart, and goes when it does not", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const first = yield* serveStore(postgres(url), "c")
      const { held, lost } = yield* makeUnnamed(first)
      const tmp = yield* first.call("tmpfile", { name: "/" }, { unique: 40 })
      yield* first.kill
      assert.strictEqual((yield* checkPostgres(url)).orphans, 3)

      const second = yield* serveStore(postgres(url), "c", [held])
      assert.deepStrictEqual([...second.asked].sort(), [held, lost].sort())
      assert.strictEqual(yield* outcome(second.call("getattr", { nodeid: lost }, { unique: 50 })), "ESTALE")
      assert.strictEqual((yield* second.call("getattr", { nodeid: held }, { unique: 52 })).attr.size, 9000)
      const again = yield* second.call("tmpfile", { name: "/" }, { unique: 40, resent: true })
      assert.strictEqual(again.entry.nodeid, tmp.entry.nodeid)
      second.backend.forget?.(held, 1, 0)
      yield* second.call("mkdir", { name: "d" }, { unique: 60 })
      assert.strictEqual(second.backend.stats().inodes, 3)
      yield* second.kill

      // A new mount: no kernel holds anything, so none is asked.
      const third = yield* serveStore(postgres(url), "another")
      assert.deepStrictEqual(third.asked, [])
      assert.strictEqual(third.backend.stats().inodes, 2)
      yield* third.kill
      assert.deepStrictEqual(yield* checkPostgres(url), { inodes: 2, bytes: 0, orphans: 0, sessions: 1, problems: [] })
    })
  )
})
