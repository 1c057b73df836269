/** Opening: what is made, what is refused, and what is said. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkPostgres, postgres } from "../../src/index.ts"
import { parseAddress, withoutPassword } from "../../src/postgres/address.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

const refusal = (url: string) =>
  Effect.scoped(postgres(url)).pipe(
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("the address of a store", () => {
  it("may leave out postgresql:, names a schema, and is shown without its password", () => {
    const parsed = parseAddress("//me:secret@db.example:5433/files?sslmode=verify-full&schema=work")
    if (!("schema" in parsed)) throw new Error(parsed.message)
    assert.strictEqual(parsed.schema, "work")
    assert.strictEqual(parsed.url.searchParams.get("sslmode"), "verify-full")
    assert.notInclude(parsed.shown, "secret")
    assert.strictEqual(withoutPassword("postgresql://me:s@host/db"), "postgresql://me@host/db")
    assert.strictEqual(withoutPassword("postgresql://me@host/db"), "postgresql://me@host/db")
  })

  it.effect("that is none is refused, with what to do", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal(""), "apt-get install postgresql")
      assert.include(yield* refusal("mysql://host/db"), "is not the URL of a database")
      assert.include(yield* refusal("postgresql://host/db?schema=Robert'"), "the name of a schema")
    })
  )
})

describe("a server", () => {
  it.live("that is not there is told of, with what to run", () =>
    Effect.gen(function* () {
      const message = yield* refusal("postgresql://me:secret@127.0.0.1:1/db")
      assert.include(message, "postgresql://me@127.0.0.1:1/db")
      assert.include(message, "apt-get install postgresql")
      assert.notInclude(message, "secret")
    })
  )

  it.live("that has no such database, or does not let the user make a schema, is told of", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      assert.include(yield* refusal(url.replace("/postgres?", "/missing?")), "createdb")
      cluster().psql(url, "CREATE ROLE stranger LOGIN")
      assert.include(yield* refusal(url.replace("tester@", "stranger@")), "GRANT CREATE ON DATABASE")
    })
  )
})

describe("a store", () => {
  it.live("of a later version is refused, and so is a schema that is somebody else's", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const server = yield* serveStore(postgres(url), "c")
      yield* server.kill
      cluster().psql(url, "UPDATE store SET version = 1000")
      assert.include(yield* refusal(url), "made by a later Bickford (store version 1000")
      assert.include(yield* Effect.map(Effect.flip(checkPostgres(url)), ({ message }) => message), "a later Bickford")

      const other = yield* newStore(cluster)
      const schema = new URL(other).searchParams.get("schema") ?? ""
      cluster().psql(other, `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.inode (x integer)`)
      assert.include(yield* refusal(other), "tables that are not Bickford's")
    })
  )

  it.live("that two make at the same time is made once", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      yield* Effect.all(
        Array.from({ length: 4 }, () => Effect.scoped(postgres(url))),
        { concurrency: 4 }
      )
      assert.strictEqual(cluster().psql(url, "SELECT count(*) FROM store"), "1")
    })
  )

  it.live("that is damaged is told of, one sentence for each thing that is wrong", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const server = yield* serveStore(postgres(url), "c")
      const { entry } = yield* server.call("create", { name: "f" }, { unique: 2 })
      yield* server.call("write", { nodeid: entry.nodeid, data: new Uint8Array(5000) }, { unique: 4 })
      yield* server.call("mkdir", { name: "d" }, { unique: 6 })
      yield* server.kill
      assert.deepStrictEqual((yield* checkPostgres(url)).problems, [])
      cluster().psql(
        url,
        `UPDATE inode SET nlink = 7, blocks = 80 WHERE ino = ${entry.nodeid}; DELETE FROM entry WHERE type = 4;
         INSERT INTO entry VALUES (1, 99, 12345, 8, 'ghost'); INSERT INTO chunk VALUES (777, 0, 1, '')`
      )
      const { problems } = yield* checkPostgres(url)
      for (const sentence of [
        /names inode 12345, which is not there/,
        /link count of 7, and 1 links/,
        /cannot be reached from the root/,
        /chunks of content 777 are no file's/,
        /counts 10 blocks, and has 2/,
        /"ghost" cannot be found where it is kept/
      ])
        assert.isTrue(
          problems.some((problem) => sentence.test(problem)),
          `${String(sentence)} among ${problems.join("; ")}`
        )
    })
  )
})
