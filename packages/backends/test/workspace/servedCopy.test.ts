/** Copies of a branch's store that are made while it is written to. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { openStore } from "../../src/sqlite/open.ts"
import { prepareQuery } from "../../src/sqlite/query.ts"
import { branchStore, prepareBranch } from "../../src/workspace/schema.ts"
import { copyServed } from "../../src/workspace/servedCopy.ts"
import { newPlaces } from "./places.ts"

const rows = 400

/** Text of four pages that tells its edition. */
const textOf = (edition: number): string => `${edition} `.repeat(16_384 / `${edition} `.length)

/** Writes one edition after another into every row, each in a transaction, with checkpoints between, until it is stopped. */
const startWriter = (db: DatabaseSync) => {
  const put = db.prepare("INSERT OR REPLACE INTO event (id, time, kind, name, detail) VALUES (?, 0, 'reset', '', ?)")
  let edition = 0
  let turn: NodeJS.Immediate | undefined
  const write = (count: number): void => {
    edition++
    db.exec("BEGIN IMMEDIATE")
    for (let id = 1; id <= count; id++) put.run(id, textOf(edition))
    db.exec("COMMIT")
  }
  const step = (): void => {
    write(rows)
    if (edition % 3 === 0) db.exec("PRAGMA wal_checkpoint(PASSIVE)")
    turn = setImmediate(step)
  }
  write(rows)
  return {
    start: step,
    stop: () => clearImmediate(turn),
    edition: () => edition
  }
}

const editionsIn = (db: DatabaseSync): ReadonlyArray<string> =>
  prepareQuery<[string]>(db, "SELECT DISTINCT detail FROM event")
    .all()
    .map(([detail]) => detail.slice(0, detail.indexOf(" ")))

describe("a copy of a store", () => {
  it.live("that is written to all the time is as it was at one of its commits", () =>
    Effect.gen(function* () {
      const { base, store } = yield* newPlaces
      const { db } = yield* openStore(store, branchStore)
      prepareBranch(db, base)
      const writer = startWriter(db)
      yield* Effect.acquireRelease(Effect.sync(writer.start), () => Effect.sync(writer.stop))
      for (let n = 0; n < 10; n++) {
        const before = writer.edition()
        const copy = yield* Effect.promise(() => copyServed(store, store))
        try {
          const editions = editionsIn(copy.db)
          assert.lengthOf(editions, 1, "all rows are of one commit")
          assert.isAtLeast(Number(editions[0]), before, "what was committed before is there")
          assert.deepStrictEqual(prepareQuery<[string]>(copy.db, "PRAGMA integrity_check").all(), [["ok"]])
        } finally {
          copy.discard()
        }
      }
      assert.isAbove(writer.edition(), 10, "it was written to meanwhile")
      assert.deepStrictEqual(
        fs.readdirSync(dirname(store)).filter((name) => name.includes(".new-")),
        [],
        "nothing is left of the copies"
      )
    })
  )

  it.live("is kept under a name that nothing has; a commit that is under way is no moment for it", () =>
    Effect.gen(function* () {
      const { base, store } = yield* newPlaces
      const kept = join(dirname(store), "kept.branch")
      const { db } = yield* openStore(store, branchStore)
      prepareBranch(db, base)
      const copy = () => Effect.promise(() => copyServed(store, kept))
      ;(yield* copy()).keepAs(kept)
      const again = yield* copy()
      assert.throws(() => again.keepAs(kept), /EEXIST/)
      db.exec("INSERT INTO commitState (id, staging, applying, done) VALUES (1, 'x', 1, 0)")
      const refused = yield* Effect.flip(
        Effect.tryPromise({ try: () => copyServed(store, store), catch: (error) => String(error) })
      )
      assert.include(refused, "is being committed")
      assert.deepStrictEqual(
        fs.readdirSync(dirname(store)).filter((name) => name.includes("new-")),
        []
      )
      assert.isFalse(fs.existsSync(`${kept}-wal`))
    })
  )
})
