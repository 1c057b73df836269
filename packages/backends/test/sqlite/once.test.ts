import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { setTimeout as delay } from "node:timers/promises"
import { checkStore } from "../../src/index.ts"
import { bytes, outcome } from "../posix/kernel.ts"
import { serve } from "./server.ts"
import { newStore } from "./store.ts"
import { makeUnnamed } from "./unnamed.ts"

const O_APPEND = 0o2000

describe("a request that is delivered again", () => {
  it.effect("finds its recorded answer, and is not done twice", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const first = yield* serve(path, "c")
      const made = yield* first.call("mkdir", { name: "d", mode: 0o755 }, { unique: 2 })
      const file = yield* first.call("create", { name: "f" }, { unique: 4 })
      const { nodeid } = file.entry
      assert.strictEqual(yield* first.call("write", { nodeid, data: bytes("abc"), flags: O_APPEND }, { unique: 6 }), 3)
      yield* first.call("rename", { name: "f", newname: "g" }, { unique: 8 })
      yield* first.call("unlink", { name: "g" }, { unique: 10 })
      const copied = yield* first.call("create", { name: "h" }, { unique: 12 })
      assert.strictEqual(
        yield* first.call(
          "copyFileRange",
          { nodeid, offIn: 0, nodeidOut: copied.entry.nodeid, offOut: 0, len: 9 },
          { unique: 2n ** 60n }
        ),
        3
      )
      yield* first.call("setattr", { nodeid, valid: 8, size: 1 }, { unique: 14 })
      yield* first.call("setxattr", { nodeid, name: "user.a", value: bytes("v"), flags: 1 }, { unique: 16 })
      // What it had not committed never happened.
      const { backend } = first
      yield* first.kill

      const second = yield* serve(path, "c", [nodeid])
      const again = (unique: number | bigint) => ({ unique, resent: true })
      assert.strictEqual((yield* second.call("mkdir", { name: "d", mode: 0o755 }, again(2))).nodeid, made.nodeid)
      assert.strictEqual((yield* second.call("create", { name: "f" }, again(4))).entry.nodeid, nodeid)
      assert.strictEqual(yield* second.call("write", { nodeid, data: bytes("abc"), flags: O_APPEND }, again(6)), 3)
      yield* second.call("rename", { name: "f", newname: "g" }, again(8))
      yield* second.call("unlink", { name: "g" }, again(10))
      assert.strictEqual(
        yield* second.call(
          "copyFileRange",
          { nodeid, offIn: 0, nodeidOut: copied.entry.nodeid, offOut: 0, len: 9 },
          again(2n ** 60n)
        ),
        3
      )
      assert.strictEqual((yield* second.call("setattr", { nodeid, valid: 8, size: 1 }, again(14))).attr.size, 1)
      yield* second.call("setxattr", { nodeid, name: "user.a", value: bytes("v"), flags: 1 }, again(16))
      assert.deepStrictEqual(second.backend.stats(), { inodes: 4, bytes: 8192 })
      assert.deepStrictEqual(second.backend.stats(), backend.stats())
      // One that was not served before is done.
      assert.strictEqual(yield* outcome(second.call("mkdir", { name: "d" }, again(18))), "EEXIST")
      assert.strictEqual(yield* outcome(second.call("mkdir", { name: "e" }, again(20))), "ok")
    })
  )

  it.effect("after a crash after a crash finds it still", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const first = yield* serve(path, "c")
      const made = yield* first.call("mkdir", { name: "d" }, { unique: 2 })
      yield* first.kill
      for (let n = 0; n < 3; n++) {
        const next = yield* serve(path, "c")
        // Asked for in one life and not in another.
        if (n !== 1)
          assert.strictEqual(
            (yield* next.call("mkdir", { name: "d" }, { unique: 2, resent: true })).nodeid,
            made.nodeid
          )
        yield* next.call("mkdir", { name: `e${n}` }, { unique: 10 + n })
        yield* next.kill
      }
    })
  )

  it.effect("finds nothing once it was answered, or enough others came, or on another connection", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const first = yield* serve(path, "c")
      const made = yield* first.call("mkdir", { name: "d" }, { unique: 2 })
      first.backend.delivered?.([2])
      assert.strictEqual(yield* outcome(first.call("mkdir", { name: "d" }, { unique: 2, resent: true })), "EEXIST")
      yield* first.call("mkdir", { name: "e" }, { unique: 4 })
      yield* first.call("mkdir", { name: "f" }, { unique: 6 })
      yield* first.kill

      const second = yield* serve(path, "c")
      yield* second.call("mkdir", { name: "e" }, { unique: 4, resent: true })
      for (let n = 0; n < 64; n++) yield* second.call("lookup", { name: "d" }, { unique: 100 + 2 * n })
      // It has been asked for, and its answer not delivered.
      yield* second.call("mkdir", { name: "e" }, { unique: 4, resent: true })
      assert.strictEqual(yield* outcome(second.call("mkdir", { name: "f" }, { unique: 6, resent: true })), "EEXIST")
      assert.strictEqual((yield* second.call("lookup", { name: "d" }, { unique: 300 })).nodeid, made.nodeid)
      yield* second.kill

      const third = yield* serve(path, "c")
      yield* third.call("mkdir", { name: "e" }, { unique: 4, resent: true })
      yield* third.kill
      const other = yield* serve(path, "another")
      assert.strictEqual(yield* outcome(other.call("mkdir", { name: "e" }, { unique: 4, resent: true })), "EEXIST")
    })
  )

  it.effect("finds nothing of what was rolled back: a batch is committed whole, or not at all", () =>
    Effect.gen(function* () {
      let broken = false
      const clock = () => {
        if (broken) throw new Error("the clock is broken")
        return { sec: 1, nsec: 0 }
      }
      const path = yield* newStore
      const server = yield* serve(path, "c", [], { clock })
      const { entry } = yield* server.call("create", { name: "f" }, { unique: 2 })
      yield* server.call("mkdir", { name: "d" }, { unique: 4, more: true })
      yield* server.call("write", { nodeid: entry.nodeid, data: bytes("text") }, { unique: 6, more: true })
      broken = true
      assert.isTrue(Exit.isFailure(yield* Effect.exit(server.call("mkdir", { name: "e" }, { unique: 8, more: true }))))
      broken = false
      // What follows in the batch is told nothing that may not come to be.
      assert.isTrue(
        Exit.isFailure(yield* Effect.exit(server.call("lookup", { name: "d" }, { unique: 10, more: true })))
      )
      assert.isTrue(Exit.isFailure(yield* Effect.exit(server.commit)))
      assert.deepStrictEqual(server.backend.stats(), { inodes: 2, bytes: 0 })
      assert.strictEqual((yield* server.call("getattr", { nodeid: entry.nodeid }, { unique: 12 })).attr.size, 0)
      assert.strictEqual(yield* outcome(server.call("mkdir", { name: "d" }, { unique: 4, resent: true })), "ok")
      assert.strictEqual(
        yield* server.call("write", { nodeid: entry.nodeid, data: bytes("text") }, { unique: 6, resent: true }),
        4
      )
      assert.strictEqual(yield* outcome(server.call("mkdir", { name: "e" }, { unique: 8, resent: true })), "ok")
      yield* server.kill
      assert.deepStrictEqual(yield* checkStore(path), {
        inodes: 4,
        bytes: 4096,
        orphans: 0,
        problems: [],
        damaged: false
      })
    })
  )
})

describe("a file without a name", () => {
  it.effect("stays while the kernel holds it, over a restart, and goes when it does not", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const first = yield* serve(path, "c")
      const { held, lost } = yield* makeUnnamed(first)
      // Made, and not told to the kernel yet: it cannot be asked about.
      const tmp = yield* first.call("tmpfile", { name: "/" }, { unique: 40 })
      yield* first.kill
      assert.strictEqual((yield* checkStore(path)).orphans, 3)

      const second = yield* serve(path, "c", [held])
      assert.deepStrictEqual(second.asked, [held, lost])
      assert.strictEqual(yield* outcome(second.call("getattr", { nodeid: lost }, { unique: 50 })), "ESTALE")
      assert.strictEqual((yield* second.call("getattr", { nodeid: held }, { unique: 52 })).attr.size, 9000)
      const again = yield* second.call("tmpfile", { name: "/" }, { unique: 40, resent: true })
      assert.strictEqual(again.entry.nodeid, tmp.entry.nodeid)
      assert.strictEqual((yield* second.call("getattr", { nodeid: tmp.entry.nodeid }, { unique: 54 })).attr.nlink, 0)
      second.backend.forget?.(held, 1, 0)
      yield* second.commit
      assert.deepStrictEqual(second.backend.stats(), { inodes: 2, bytes: 0 })
      yield* second.kill

      // A new mount: no kernel holds anything, so none is asked.
      const third = yield* serve(path, "another")
      assert.deepStrictEqual(third.asked, [])
      assert.deepStrictEqual(third.backend.stats(), { inodes: 1, bytes: 0 })
      yield* third.kill
      const report = yield* checkStore(path)
      assert.deepStrictEqual(report, { inodes: 1, bytes: 0, orphans: 0, problems: [], damaged: false })
    })
  )

  it.effect("that is large is removed a piece at a time", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const server = yield* serve(path, "c")
      const { entry } = yield* server.call("create", { name: "f" }, { unique: 2 })
      for (let n = 0; n < 20; n++) {
        yield* server.call(
          "write",
          { nodeid: entry.nodeid, offset: n * 2 ** 20, data: new Uint8Array(2 ** 20).fill(n) },
          { unique: 4 + n }
        )
      }
      yield* server.call("setattr", { nodeid: entry.nodeid, valid: 8, size: 0 }, { unique: 100 })
      assert.deepStrictEqual(server.backend.stats(), { inodes: 2, bytes: 0 })
      yield* server.call("write", { nodeid: entry.nodeid, data: bytes("new") }, { unique: 102 })
      yield* server.kill
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
      // What was left then goes when it is served again, once nothing has been written for a while.
      const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
      const left = (): { readonly dead: number; readonly chunks: number } => {
        const db = new DatabaseSync(path)
        const counts = db
          .prepare("SELECT (SELECT count(*) FROM dead) AS dead, (SELECT count(*) FROM chunk) AS chunks")
          .get()
        db.close()
        return { dead: Number(counts?.["dead"]), chunks: Number(counts?.["chunks"]) }
      }
      assert.deepEqual(left(), { dead: 1, chunks: 321 })
      for (let life = 0; left().dead > 0; life++) {
        const next = yield* serve(path, "c")
        yield* next.call("mkdir", { name: `d${life}` }, { unique: 200 + life })
        assert.strictEqual((yield* next.call("getattr", { nodeid: entry.nodeid }, { unique: 400 + life })).attr.size, 3)
        yield* Effect.promise(() => delay(150))
        yield* next.kill
      }
      assert.deepEqual(left(), { dead: 0, chunks: 1 })
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
    })
  )

  it.effect("that is large is written over by what is written next", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const server = yield* serve(path, "c")
      const mebibyte = 2 ** 20
      let unique = 2
      const make = (name: string) => server.call("create", { name }, { unique: (unique += 2) })
      const write = (nodeid: number | bigint, at: number, byte: number) =>
        server.call(
          "write",
          { nodeid, offset: at * mebibyte, data: new Uint8Array(mebibyte).fill(byte) },
          { unique: (unique += 2) }
        )
      const old = (yield* make("old")).entry.nodeid
      for (let n = 0; n < 4; n++) yield* write(old, n, 1)
      yield* server.call("setattr", { nodeid: old, valid: 8, size: 0 }, { unique: (unique += 2) })
      // Into another file, with a hole, and into the old one.
      const other = (yield* make("other")).entry.nodeid
      yield* write(other, 0, 2)
      yield* write(other, 2, 3)
      yield* write(old, 0, 4)
      // What is undone leaves the rows to be taken again.
      yield* server.call(
        "write",
        { nodeid: old, offset: mebibyte, data: new Uint8Array(mebibyte).fill(9) },
        { unique: (unique += 2), more: true }
      )
      yield* server.kill

      const next = yield* serve(path, "c")
      const read = (nodeid: number | bigint) =>
        next.call("read", { nodeid, offset: 0, size: 4 * mebibyte }, { unique: (unique += 2) }).pipe(
          Effect.map((data) => Buffer.concat(data instanceof Uint8Array ? [data] : data)),
          Effect.map((data) =>
            Array.from(
              { length: data.length / mebibyte },
              (_, n) => new Set(data.subarray(n * mebibyte, (n + 1) * mebibyte))
            )
          )
        )
      assert.deepStrictEqual(yield* read(other), [new Set([2]), new Set([0]), new Set([3])])
      assert.deepStrictEqual(yield* read(old), [new Set([4])])
      assert.deepStrictEqual(next.backend.stats(), { inodes: 3, bytes: 3 * mebibyte })
      yield* next.kill
      const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
      const db = new DatabaseSync(path)
      const rows = db.prepare("SELECT count(*) AS count, max(id) AS last FROM chunk").get()
      db.close()
      // As many as the old file had: 16 for each MiB.
      assert.deepEqual({ ...rows }, { count: 64, last: 64 })
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
    })
  )
})
