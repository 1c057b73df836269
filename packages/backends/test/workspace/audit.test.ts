/** Who changed what: paths and arguments of each operation, in the transaction of the change. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { type AuditFilter, type AuditRecord, openBranch, workspace, type WorkspaceOptions } from "../../src/index.ts"
import { sqliteModule } from "../../src/sqlite/open.ts"
import { bytes, makeKernel, rootNode } from "../posix/kernel.ts"
import { newPlaces, type Places } from "./places.ts"

const onKernel = <A, E>(
  { base, store }: Places,
  body: (kernel: ReturnType<typeof makeKernel>) => Effect.Effect<A, E>,
  options: Partial<WorkspaceOptions> = {}
) => Effect.scoped(Effect.flatMap(workspace(base, { ...options, store }), (backend) => body(makeKernel(backend))))

const auditOf = ({ base, store }: Places, filter?: AuditFilter) =>
  Effect.scoped(Effect.flatMap(openBranch(base, store), ({ audit }) => audit(filter)))

const told = (records: ReadonlyArray<AuditRecord>) => records.map(({ detail, op, path }) => [op, path, detail])

describe("the audit", () => {
  it.effect("knows a base file by the name that is left to it, not only by the last one it was seen by", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "left"), "base")
      fs.linkSync(join(places.base, "left"), join(places.base, "removed"))
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          const { nodeid } = yield* kernel.lookup(rootNode, "left")
          yield* kernel.lookup(rootNode, "removed")
          yield* kernel.unlink(rootNode, "removed")
          yield* kernel.write(nodeid, 0, bytes("mine"))
        })
      )
      assert.deepStrictEqual(told(yield* auditOf(places)), [
        ["unlink", "removed", {}],
        ["write", "left", { offset: 0, length: 4 }]
      ])
    })
  )

  it.effect("tells each change with its path and what it was given", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "src"))
      fs.writeFileSync(join(places.base, "src/a"), "abcdef")
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          const src = (yield* kernel.lookup(rootNode, "src")).nodeid
          const a = (yield* kernel.lookup(src, "a")).nodeid
          yield* kernel.write(a, 1, bytes("xx"))
          yield* kernel.write(a, 3, bytes("yyy"))
          yield* kernel.rename(rootNode, "src", rootNode, "moved")
          yield* kernel.write(a, 6, bytes("zz"))
          yield* kernel.setattr({ nodeid: a, valid: 1 | 8, mode: 0o600, size: 3 })
          yield* kernel.link(a, rootNode, "hard")
          yield* kernel.unlink(src, "a")
          yield* kernel.setxattr(a, "user.a", bytes("1"))
          yield* kernel.removexattr(a, "user.a")
          yield* kernel.mkdir({ nodeid: src, name: "d", mode: 0o700 })
          yield* kernel.symlink({ nodeid: src, name: "s", target: "d" })
          yield* kernel.rmdir(src, "d")
          yield* kernel.fallocate(a, 0, 0, 10)
          yield* kernel.unlink(rootNode, "hard")
          yield* kernel.write(a, 0, bytes("nobody"))
          // Fails, and nothing of it is told.
          yield* Effect.ignore(kernel.unlink(rootNode, "none"))
        })
      )
      const records = yield* auditOf(places)
      assert.deepStrictEqual(told(records), [
        ["write", "src/a", { offset: 1, length: 5 }],
        ["rename", "src", { to: "moved" }],
        ["write", "moved/a", { offset: 6, length: 2 }],
        ["setattr", "moved/a", { mode: 0o600, size: 3 }],
        ["link", "hard", { from: "moved/a" }],
        ["unlink", "moved/a", {}],
        ["setxattr", "hard", { name: "user.a", value: "31" }],
        ["removexattr", "hard", { name: "user.a" }],
        ["mkdir", "moved/d", { mode: 0o040700 }],
        ["symlink", "moved/s", { target: "d" }],
        ["rmdir", "moved/d", {}],
        ["fallocate", "hard", { offset: 0, length: 10 }],
        ["unlink", "hard", {}],
        ["write", undefined, { offset: 0, length: 6 }]
      ])
      const paths = (filter: AuditFilter) => Effect.map(auditOf(places, filter), (found) => found.map(({ id }) => id))
      const ids = records.map(({ id }) => id)
      assert.deepStrictEqual(yield* paths({ path: "moved" }), [ids[2], ids[3], ids[5], ids[8], ids[9], ids[10]])
      assert.deepStrictEqual(yield* paths({ path: "moved/d/" }), [ids[8], ids[10]])
      assert.deepStrictEqual(yield* paths({ pid: 1 }), ids)
      assert.deepStrictEqual(yield* paths({ pid: 2 }), [])
      assert.deepStrictEqual(yield* paths({ since: Date.now() + 1 }), [])
      assert.deepStrictEqual(yield* paths({ until: Date.now() + 1 }), ids)
    })
  )

  it.effect("keeps names that are no text, and tells nothing where it is switched off", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const name = new Uint8Array([0x61, 0xff])
      yield* onKernel(places, (kernel) => kernel.symlink({ name, target: name }))
      yield* onKernel(places, (kernel) => kernel.mkdir({ name: "silent" }), { audit: false })
      assert.deepStrictEqual(told(yield* auditOf(places)), [["symlink", name, { target: name }]])
    })
  )

  it.effect("is begun on a branch that an earlier version has made", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      yield* onKernel(places, (kernel) => kernel.mkdir({ name: "before" }))
      const { DatabaseSync } = sqliteModule()
      const db = new DatabaseSync(places.store)
      db.exec("DROP TABLE audit; DROP INDEX entryNode; UPDATE workspace SET version = 1")
      db.close()
      yield* onKernel(places, (kernel) =>
        Effect.flatMap(kernel.lookup(rootNode, "before"), ({ nodeid }) => kernel.mkdir({ nodeid, name: "after" }))
      )
      assert.deepStrictEqual(told(yield* auditOf(places)), [["mkdir", "before/after", { mode: 0o040755 }]])
    })
  )
})
