import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DatabaseSync } from "node:sqlite"
import { sqlite } from "../../src/index.ts"
import { makeEntryStore, StoredDirectory } from "../../src/sqlite/directory.ts"
import { nameFromBytes, nameToBytes } from "@bickford/protocol"
import { firstCookie, lastCookie } from "../../src/sqlite/names.ts"
import { migrate, migrations } from "../../src/sqlite/schema.ts"
import { makeTransaction } from "../../src/sqlite/transaction.ts"
import { inode, listWhileRemoving, testDirectories } from "../posix/directory.ts"
import { makeKernel } from "../posix/kernel.ts"
import { newStore } from "./store.ts"

const db = new DatabaseSync(":memory:")
migrate(db, 0, migrations)
const transaction = makeTransaction(db)
const entries = makeEntryStore(db, transaction, { a: 1, b: 2 })
const second = inode(2)
let nextParent = 10

testDirectories(() => new StoredDirectory(entries, { get: () => second, peek: () => second }, nextParent++, 1), 60)

it("names whose hashes are the same are kept apart, as many as the window is wide", () => {
  // No multiplication by the key's odd numbers brings such names about; a store that hashes badly does.
  const parent = nextParent++
  const [first] = ["a"].map((name) => firstCookie(nameToBytes(name), { a: 1, b: 2 }))
  assert.isDefined(first)
  const insert = db.prepare("INSERT INTO entry (parent, cookie, ino, type, name) VALUES (?, ?, 2, 8, ?)")
  for (let n = 0; n < 15; n++) insert.run(parent, (first ?? 0) + n, nameToBytes(`other${n}`))
  const directory = new StoredDirectory(entries, { get: () => second, peek: () => second }, parent, 1)
  assert.isUndefined(directory.get("a"))
  directory.add("a", second)
  assert.strictEqual(directory.get("a"), second)
  assert.strictEqual([...directory.after(0)].at(-1)?.off, lastCookie(first ?? 0))
  directory.remove("a")
  assert.isUndefined(directory.get("a"))
  assert.strictEqual([...directory.after(0)].length, 15)
})

it("cookies are above those of the dots, fit the off_t of a 32-bit program, and differ as their names do", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 255 }), (name) => {
      const cookie = firstCookie(name, { a: 7, b: 9 })
      assert.isTrue(cookie > 2 && lastCookie(cookie) < 2 ** 31)
      assert.deepStrictEqual(nameToBytes(nameFromBytes(name)).length, name.length)
    })
  )
  const cookies = new Set(
    Array.from({ length: 200_000 }, (_, n) => firstCookie(nameToBytes(`file-${n}`), { a: 7, b: 9 }))
  )
  // As many are the same as chance has it among 2^31: about nine.
  assert.isAbove(cookies.size, 199_950)
})

it.effect("a large directory is listed in pages while its first half is removed", () =>
  Effect.gen(function* () {
    yield* listWhileRemoving(makeKernel(yield* sqlite(yield* newStore)), 3000, 100)
  })
)
