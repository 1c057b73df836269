import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { checkStore, repairStore, sqlite } from "../../src/index.ts"
import { migrate, migrations } from "../../src/sqlite/schema.ts"
import { bytes, makeKernel, rootNode } from "../posix/kernel.ts"
import { newStore } from "./store.ts"

const refusal = (path: string) => Effect.flip(Effect.scoped(sqlite(path)))

describe("a store", () => {
  it.effect("is there again, as it was", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      let sec = 1000
      const options = { clock: () => ({ sec: ++sec, nsec: 5 }), mode: 0o700, uid: 7, gid: 8 }
      const fill = Effect.gen(function* () {
        const kernel = makeKernel(yield* sqlite(path, options))
        const dir = yield* kernel.mkdir({ name: "d" })
        const raw = Uint8Array.of(0xff, 0xfe)
        const { nodeid } = yield* kernel.create({ nodeid: dir.nodeid, name: raw })
        yield* kernel.write(nodeid, 100_000, bytes("far"))
        yield* kernel.setattr({
          nodeid,
          valid: 16 | 32,
          atime: { sec: -(2n ** 60n), nsec: 1 },
          mtime: { sec: 2 ** 40, nsec: 2 }
        })
        yield* kernel.setxattr(nodeid, "user.x", bytes("y"))
        yield* kernel.symlink({ name: "l", target: raw })
        yield* kernel.mknod({ name: "n", mode: 0o020600, rdev: 0x501 })
        return { dir: dir.nodeid, nodeid, root: yield* kernel.getattr(rootNode), attr: yield* kernel.getattr(nodeid) }
      })
      const before = yield* Effect.scoped(fill)
      const kernel = makeKernel(yield* sqlite(path, { mode: 0o777 }))
      assert.deepStrictEqual(yield* kernel.getattr(rootNode), before.root)
      assert.deepStrictEqual([before.root.mode & 0o7777, before.root.uid, before.root.gid], [0o700, 7, 8])
      assert.deepStrictEqual(yield* kernel.getattr(before.nodeid), before.attr)
      assert.strictEqual((yield* kernel.lookup(before.dir, Uint8Array.of(0xff, 0xfe))).nodeid, before.nodeid)
      assert.strictEqual((yield* kernel.lookup(before.dir, "..")).nodeid, rootNode)
      assert.deepStrictEqual(yield* kernel.read(before.nodeid, 99_998, 10), bytes("\0\0far"))
      assert.deepStrictEqual(yield* kernel.getxattr(before.nodeid, "user.x"), bytes("y"))
      assert.deepStrictEqual(
        yield* kernel.readlink((yield* kernel.lookup(rootNode, "l")).nodeid),
        Uint8Array.of(0xff, 0xfe)
      )
      assert.strictEqual((yield* kernel.lookup(rootNode, "n")).attr.rdev, 0x501)
      // No number is ever given out again.
      const last = yield* kernel.create({ name: "new" })
      assert.isAbove(Number(last.nodeid), Number(before.nodeid) + 2)
    })
  )

  it.effect("is what its last commit was, copied at any time as a crash would leave it", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const kernel = makeKernel(yield* sqlite(path))
      for (let n = 0; n < 12; n++) {
        const { nodeid } = yield* kernel.create({ name: `f${n}` })
        yield* kernel.write(nodeid, 0, new Uint8Array(70_000).fill(n + 1))
        if (n % 3 === 0) yield* kernel.rename(rootNode, `f${n}`, rootNode, "same")
        const copy = `${path}-${n}`
        copyFileSync(path, copy)
        copyFileSync(`${path}-wal`, `${copy}-wal`)
        const report = yield* checkStore(copy)
        assert.deepStrictEqual(report.problems, [])
        const seen = yield* Effect.scoped(
          Effect.gen(function* () {
            const other = makeKernel(yield* sqlite(copy))
            const name = n % 3 === 0 ? "same" : `f${n}`
            return yield* other.read((yield* other.lookup(rootNode, name)).nodeid, 69_999, 9)
          })
        )
        assert.deepStrictEqual(seen, Uint8Array.of(n + 1))
      }
    })
  )

  it.effect("whose file is removed underneath fails what needs room with its own error, none of the caller's", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const kernel = makeKernel(yield* sqlite(path))
      const { nodeid } = yield* kernel.create({ name: "a" })
      rmSync(path)
      const exit = yield* Effect.exit(kernel.write(nodeid, 0, bytes("text")))
      if (exit._tag === "Success") return assert.fail("the write succeeded")
      const [reason] = exit.cause.reasons
      if (reason?._tag !== "Die" || !(reason.defect instanceof Error)) return assert.fail("no defect")
      assert.include(reason.defect.message, `${path}: the store's file cannot be found any more`)
      assert.notProperty(reason.defect, "code")
    })
  )

  it.effect("is its user's alone, and one that others may open is warned of", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const modes = (): ReadonlyArray<number> => [path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* makeKernel(yield* sqlite(path)).mkdir({ name: "d" })
          assert.deepStrictEqual(modes(), [0o600, 0o600])
        })
      )
      chmodSync(path, 0o644)
      const said: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      yield* Effect.provide(Effect.scoped(Effect.andThen(sqlite(path), Effect.yieldNow)), logger)
      assert.include(said.join(), `${path}: others may open it (mode 644)`)
      assert.include(said.join(), `chmod 600 ${path}`)
    })
  )

  it.effect("is not opened beside a link in the place of its log, which another file would be written through", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const precious = `${path}-precious`
      writeFileSync(precious, "precious")
      symlinkSync(precious, `${path}-wal`)
      assert.include((yield* refusal(path)).message, `${path}-wal is a symbolic link`)
      assert.strictEqual(readFileSync(precious, "utf8"), "precious")
      rmSync(`${path}-wal`)
      yield* Effect.scoped(sqlite(path))
    })
  )

  it.effect("is not opened beside what is no file of SQLite's, nor beside another user's", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(sqlite(path))
      for (const ending of ["-wal", "-shm", "-journal"]) {
        execFileSync("mkfifo", [path + ending])
        assert.include(
          (yield* refusal(path)).message,
          `${path}${ending} is a device, pipe or socket, where SQLite keeps a file of its own; remove it`
        )
        rmSync(path + ending)
      }
      if (process.geteuid?.() === 0) {
        writeFileSync(`${path}-wal`, "")
        chownSync(`${path}-wal`, 65_534, 65_534)
        assert.include((yield* refusal(path)).message, `${path}-wal belongs to user 65534, who does not own the store`)
        rmSync(`${path}-wal`)
      }
      yield* Effect.scoped(sqlite(path))
    })
  )

  it.effect("is opened once at a time; who has it is said", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* sqlite(path)
          const refused = yield* refusal(path)
          assert.deepInclude(refused, { _tag: "StoreBusyError", pid: process.pid, path })
          assert.include(refused.message, "in use by this process")
        })
      )
      yield* Effect.scoped(sqlite(path))
    })
  )

  it.effect("that is none, damaged, or of another time is refused, and left as it is", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      writeFileSync(path, "no database, but a text that is long enough to be looked at as one")
      assert.match((yield* refusal(path)).message, /is not a store, or is damaged .*fsck.*backup/)
      assert.match(readFileSync(path, "latin1"), /^no database/)

      const foreign = `${path}-foreign`
      const db = new DatabaseSync(foreign)
      db.exec("CREATE TABLE theirs (x)")
      db.close()
      assert.match((yield* refusal(foreign)).message, /not a Bickford store/)

      const later = `${path}-later`
      yield* Effect.scoped(sqlite(later))
      const changed = new DatabaseSync(later)
      changed.exec(`PRAGMA user_version = ${migrations.length + 1}`)
      changed.close()
      assert.match((yield* refusal(later)).message, /later Bickford/)
      assert.match((yield* refusal(`${path}-no/folder`)).message, /unable to open/)
      assert.isFalse(existsSync(`${path}-no`))
    })
  )

  it.effect("of the first version, whose cookies had 52 bits, is brought up to date with every name in its place", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          for (let n = 0; n < 300; n++) yield* kernel.create({ name: `name-${n}` })
        })
      )
      const db = new DatabaseSync(path)
      db.exec("UPDATE entry SET cookie = cookie * 1048576; PRAGMA user_version = 1")
      db.close()
      assert.match((yield* Effect.flip(checkStore(path))).message, /is of store version 1; mount it once/)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          const listed = yield* kernel.readdir(rootNode)
          assert.strictEqual(new Set(listed.map(({ name }) => name)).size, 302)
          assert.isBelow(Number(listed.at(-1)?.off), 2 ** 31)
          yield* kernel.lookup(rootNode, "name-299")
          const { files, ffree } = yield* kernel.statfs()
          assert.isAtMost(Math.max(Number(files), Number(ffree)), 2 ** 32 - 1)
        })
      )
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
    })
  )

  it("moves from version to version, step by step or not at all", () => {
    const db = new DatabaseSync(":memory:")
    migrate(db, 0, ["CREATE TABLE a (x)", "CREATE TABLE b (x)"])
    assert.strictEqual(db.prepare("PRAGMA user_version").get()?.user_version, 2)
    assert.throws(() => migrate(db, 2, ["", "", "CREATE TABLE c (x)", "CREATE TABLE b (x)"]))
    assert.strictEqual(db.prepare("PRAGMA user_version").get()?.user_version, 2)
    assert.isUndefined(db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'c'").get())
    migrate(db, 2, ["", "", "CREATE TABLE c (x)"])
    assert.isDefined(db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'c'").get())
  })
})

describe("fsck", () => {
  const damages: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["a link count", "UPDATE inode SET nlink = 3 WHERE ino = 3", /file 3 has a link count of 3, and 1 links/],
    [
      "a directory's link count",
      "UPDATE inode SET nlink = 2 WHERE ino = 1",
      /directory 1 has a link count of 2, and 3 links/
    ],
    ["a missing inode", "DELETE FROM inode WHERE ino = 3", /directory 2 names inode 3, which is not there/],
    ["a missing directory", "DELETE FROM inode WHERE ino = 2", /2 names lie in 2, which is not a directory/],
    [
      "a cycle",
      "UPDATE entry SET parent = 2 WHERE ino = 2; UPDATE inode SET parent = 2 WHERE ino = 2",
      /directory 2 cannot be reached/
    ],
    ["a parent", "UPDATE inode SET parent = 7 WHERE ino = 2", /directory 2 lies in 1, and says/],
    ["a type", "UPDATE entry SET type = 4 WHERE ino = 3", /inode 3 as one of another type/],
    ["a cookie", "UPDATE entry SET cookie = 77 WHERE ino = 3", /cannot be found where it is kept/],
    ["a name", "UPDATE entry SET name = x'2f' WHERE ino = 3", /a name that no file can have/],
    ["a block count", "UPDATE inode SET blocks = 80 WHERE ino = 3", /file 3 counts 10 blocks, and has 2/],
    ["chunks of none", "UPDATE chunk SET data = 99", /1 chunks of content 99 are no file's/],
    ["content of two", "UPDATE inode SET data = 3 WHERE ino = 4", /content 3 is that of 2 files/],
    ["a size", "UPDATE inode SET size = 10 WHERE ino = 3", /file 3 has bytes beyond its end/],
    ["attributes of none", "INSERT INTO xattr VALUES (99, x'75', x'')", /attributes are kept of inode 99/],
    ["counts", "UPDATE server SET inodes = 17", /the store counts 17 inodes and 2 blocks, and has 4 and 2/],
    ["a number", "UPDATE server SET nextId = 3", /number 3 would be given out twice/],
    ["no root", "UPDATE inode SET mode = 33188 WHERE ino = 1", /there is no root directory/],
    ["content", "UPDATE inode SET data = NULL WHERE ino = 4", /file 4 does not hold what one of its type does/]
  ]
  for (const [name, sql, said] of damages) {
    it.effect(`finds ${name}`, () =>
      Effect.gen(function* () {
        const path = yield* newStore
        yield* Effect.scoped(
          Effect.gen(function* () {
            const kernel = makeKernel(yield* sqlite(path))
            const dir = yield* kernel.mkdir({ name: "d" })
            const file = yield* kernel.create({ nodeid: dir.nodeid, name: "f" })
            yield* kernel.write(file.nodeid, 0, new Uint8Array(5000))
            yield* kernel.create({ nodeid: dir.nodeid, name: "g" })
          })
        )
        assert.deepStrictEqual((yield* checkStore(path)).problems, [])
        const db = new DatabaseSync(path)
        db.exec(sql)
        db.close()
        const { problems } = yield* checkStore(path)
        assert.isTrue(
          problems.some(({ repair, what }) => said.test(what) && repair !== ""),
          JSON.stringify(problems)
        )
        const { found, left } = yield* repairStore(path)
        assert.deepStrictEqual(found.problems, problems)
        assert.deepStrictEqual(left.problems, [])
        // It can be served, and nothing in it fails.
        const kernel = makeKernel(yield* sqlite(path))
        const walk = (nodeid: number | bigint): Effect.Effect<void, unknown> =>
          Effect.gen(function* () {
            for (const { name, type } of yield* kernel.readdir(nodeid)) {
              if (name === "." || name === "..") continue
              const child = yield* kernel.lookup(nodeid, name)
              if (type === 4) yield* walk(child.nodeid)
              else if (type === 8) yield* kernel.read(child.nodeid, 0, 10_000)
            }
          })
        yield* walk(rootNode)
        yield* kernel.mkdir({ name: "new" })
      })
    )
  }

  it.effect("moves what has lost its place to lost+found, with its content", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          const dir = yield* kernel.mkdir({ name: "d" })
          const file = yield* kernel.create({ nodeid: dir.nodeid, name: "f" })
          yield* kernel.write(file.nodeid, 0, bytes("kept"))
        })
      )
      const db = new DatabaseSync(path)
      db.exec("DELETE FROM entry WHERE ino = 2; DELETE FROM entry WHERE ino = 3")
      db.close()
      assert.deepStrictEqual((yield* repairStore(path)).left.problems, [])
      const kernel = makeKernel(yield* sqlite(path))
      const lost = yield* kernel.lookup(rootNode, "lost+found")
      assert.deepStrictEqual(
        (yield* kernel.readdir(lost.nodeid))
          .map(({ name }) => name)
          .slice(2)
          .sort(),
        ["#2", "#3"]
      )
      const file = yield* kernel.lookup(lost.nodeid, "#3")
      assert.deepStrictEqual(yield* kernel.read(file.nodeid, 0, 10), bytes("kept"))
    })
  )

  it.effect("touches nothing: no log is emptied, made or removed, and no file that is none becomes a store", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      const folder = dirname(path)
      const state = (): ReadonlyArray<string> =>
        readdirSync(folder)
          .sort()
          .map(
            (name) =>
              `${name} ${createHash("sha1")
                .update(readFileSync(join(folder, name)))
                .digest("hex")} ${statSync(join(folder, name)).mtimeMs}`
          )
      // As a server that was killed leaves it: with a log.
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          yield* kernel.mkdir({ name: "only in the log" })
          for (const suffix of ["", "-wal"]) copyFileSync(`${path}${suffix}`, join(folder, `killed${suffix}`))
        })
      )
      writeFileSync(join(folder, "empty"), "")
      writeFileSync(join(folder, "noise"), Buffer.alloc(100_000, 7))
      const foreign = new DatabaseSync(join(folder, "foreign"))
      foreign.exec("CREATE TABLE theirs (x)")
      foreign.close()
      const before = state()
      const killed = yield* checkStore(join(folder, "killed"))
      assert.deepStrictEqual([killed.inodes, killed.problems], [2, []])
      assert.deepStrictEqual((yield* checkStore(path)).problems, [])
      const refused = [
        ["empty", /is empty: not a store/],
        ["noise", /not a store, or is damaged/],
        ["foreign", /not a Bickford store/],
        [".", /is a directory/],
        ["none", /is not there/]
      ] as const
      for (const [name, said] of refused)
        assert.match((yield* Effect.flip(checkStore(join(folder, name)))).message, said)
      assert.deepStrictEqual(state(), before)
    })
  )

  it.effect("finds pages that are damaged, and a file that is cut off", () =>
    Effect.gen(function* () {
      const path = yield* newStore
      yield* Effect.scoped(
        Effect.gen(function* () {
          const kernel = makeKernel(yield* sqlite(path))
          for (let n = 0; n < 500; n++) yield* kernel.create({ name: `a-file-with-a-name-${n}` })
        })
      )
      const copy = `${path}-cut`
      copyFileSync(path, copy)
      const fd = openSync(path, "r+")
      for (let page = 6; page < 30; page++) writeSync(fd, new Uint8Array(3000).fill(0xee), 0, 3000, page * 4096 + 100)
      closeSync(fd)
      const { problems } = yield* checkStore(path)
      assert.isTrue(problems.some(({ repair, what }) => what.startsWith("SQLite: ") && repair.includes(".recover")))
      for (const { what } of problems) assert.notMatch(what, /\n|\*\*\*/)
      truncateSync(copy, 3 * 4096)
      const cut = yield* Effect.exit(checkStore(copy))
      assert.isTrue(cut._tag === "Failure" || cut.value.problems.length > 0)
    })
  )
})
