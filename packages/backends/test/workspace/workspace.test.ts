/** What a branch does with its base: numbers, links, moved directories, a base that changes, a server that is killed. */
import { assert, describe, it } from "@effect/vitest"
import type { Name, U64 } from "@bickford/protocol"
import type { ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { join } from "node:path"
import { workspace } from "../../src/index.ts"
import { bytes, makeKernel, outcome, rootNode } from "../posix/kernel.ts"
import { connection, negotiated } from "../sqlite/server.ts"
import { newPlaces, type Places } from "./places.ts"

const kib = (count: number): number => count * 1024
const big = new Uint8Array(kib(300)).map((_, at) => at % 251)

const FATTR_MODE = 1
const FATTR_UID = 2
const FATTR_SIZE = 8
const FATTR_MTIME = 32

/** Serves a branch to a kernel that outlives the server. */
const serve = Effect.fnUntraced(function* ({ base, store }: Places, id = "kernel", held: ReadonlyArray<U64> = []) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const backend = yield* Scope.provide(workspace(base, { store }), scope)
  yield* backend.init?.(negotiated, connection(id, new Set(held), [])) ?? Effect.void
  return { backend, kernel: makeKernel(backend), kill: Scope.close(scope, Exit.void) }
})

type Kernel = ReturnType<typeof makeKernel>

const find = (kernel: Kernel, path: string): Effect.Effect<U64, ErrnoError> =>
  Effect.gen(function* () {
    let node: U64 = rootNode
    for (const name of path.split("/")) node = (yield* kernel.lookup(node, name)).nodeid
    return node
  })

const text = (kernel: Kernel, nodeid: U64) =>
  Effect.map(kernel.read(nodeid, 0, kib(64)), (data) => new TextDecoder().decode(data))

const listed = (kernel: Kernel, nodeid: U64) =>
  Effect.map(kernel.readdir(nodeid), (entries) =>
    entries
      .map(({ name }) => String(name))
      .filter((name) => !name.startsWith("."))
      .sort()
  )

/** What each call that changes a base file does to it. */
const changes: { readonly [name: string]: (kernel: Kernel, nodeid: U64) => Effect.Effect<unknown, ErrnoError> } = {
  write: (kernel, nodeid) => kernel.write(nodeid, 3, bytes("x")),
  truncate: (kernel, nodeid) => kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 2 }),
  chmod: (kernel, nodeid) => kernel.setattr({ nodeid, valid: FATTR_MODE, mode: 0o600 }),
  chown: (kernel, nodeid) => kernel.setattr({ nodeid, valid: FATTR_UID, newUid: 7 }),
  utimens: (kernel, nodeid) => kernel.setattr({ nodeid, valid: FATTR_MTIME, mtime: { sec: 5, nsec: 6 } }),
  setxattr: (kernel, nodeid) => kernel.setxattr(nodeid, "user.a", bytes("1")),
  link: (kernel, nodeid) => kernel.link(nodeid, rootNode, "other"),
  rename: (kernel) => kernel.rename(rootNode, "file", rootNode, "moved"),
  fallocate: (kernel, nodeid) => kernel.fallocate(nodeid, 0, 0, kib(100))
}

describe("a file that is changed first", () => {
  for (const [name, change] of Object.entries(changes)) {
    it.effect(`by ${name} keeps its number, and the base its file`, () =>
      Effect.gen(function* () {
        const places = yield* newPlaces
        const file = join(places.base, "file")
        fs.writeFileSync(file, "abcdef")
        const before = fs.statSync(file, { bigint: true })
        const first = yield* serve(places)
        const nodeid = yield* find(first.kernel, "file")
        assert.strictEqual(nodeid, Number(before.ino))
        yield* change(first.kernel, nodeid)
        assert.strictEqual((yield* first.kernel.getattr(nodeid)).ino, nodeid)
        const path = name === "rename" ? "moved" : "file"
        assert.strictEqual(yield* find(first.kernel, path), nodeid)
        const changed = yield* first.kernel.getattr(nodeid)
        yield* first.kill
        const second = yield* serve(places, "another")
        assert.strictEqual(yield* find(second.kernel, path), nodeid)
        assert.deepStrictEqual(yield* second.kernel.getattr(nodeid), changed)
        assert.deepStrictEqual(fs.statSync(file, { bigint: true }), before)
        assert.strictEqual(fs.readFileSync(file, "utf8"), "abcdef")
      })
    )
  }
})

describe("a branch", () => {
  it.effect("stores the chunks that are written, and not the file", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "big"), big)
      const { backend, kernel } = yield* serve(places)
      const nodeid = yield* find(kernel, "big")
      yield* kernel.write(nodeid, kib(130), bytes("changed"))
      const expected = Uint8Array.from(big)
      expected.set(bytes("changed"), kib(130))
      assert.deepStrictEqual(yield* kernel.read(nodeid, 0, kib(512)), expected)
      const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
      yield* backend.commit ?? Effect.void
      const copy = `${places.store}.copy`
      fs.copyFileSync(places.store, copy)
      fs.copyFileSync(`${places.store}-wal`, `${copy}-wal`)
      const db = new DatabaseSync(copy)
      assert.deepStrictEqual(
        db
          .prepare("SELECT position FROM chunk")
          .all()
          .map((row) => row["position"]),
        [2]
      )
      db.close()
    })
  )

  it.effect("keeps hard links of a base file one file", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "one"), "text")
      fs.linkSync(join(places.base, "one"), join(places.base, "two"))
      const { kernel } = yield* serve(places)
      const nodeid = yield* find(kernel, "one")
      yield* kernel.write(nodeid, 0, bytes("T"))
      assert.strictEqual(yield* find(kernel, "two"), nodeid)
      assert.strictEqual(yield* text(kernel, yield* find(kernel, "two")), "Text")
      yield* kernel.unlink(rootNode, "one")
      assert.strictEqual((yield* kernel.getattr(nodeid)).nlink, 1)
      assert.strictEqual(yield* outcome(kernel.lookup(rootNode, "one")), "ENOENT")
    })
  )

  it.effect("moves a directory of the base without copying what is in it", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "dir/deep"), { recursive: true })
      for (let n = 0; n < 50; n++) fs.writeFileSync(join(places.base, "dir/deep", `f${n}`), String(n))
      const first = yield* serve(places)
      yield* find(first.kernel, "dir")
      yield* first.kernel.rename(rootNode, "dir", rootNode, "moved")
      assert.strictEqual(first.backend.stats().inodes, 2)
      assert.strictEqual(yield* text(first.kernel, yield* find(first.kernel, "moved/deep/f49")), "49")
      assert.strictEqual(yield* outcome(first.kernel.lookup(rootNode, "dir")), "ENOENT")
      yield* first.kill
      const second = yield* serve(places, "another")
      assert.strictEqual(yield* text(second.kernel, yield* find(second.kernel, "moved/deep/f7")), "7")
      assert.deepStrictEqual(yield* listed(second.kernel, rootNode), ["moved"])
      // What is made at the old name has nothing of the base.
      yield* second.kernel.mkdir({ name: "dir" })
      assert.deepStrictEqual(yield* listed(second.kernel, yield* find(second.kernel, "dir")), [])
    })
  )

  it.effect("shows what it removed no more, and keeps one row for a whole tree", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "dir"))
      const names = Array.from({ length: 30 }, (_, n) => `f${n}`)
      for (const name of names) fs.writeFileSync(join(places.base, "dir", name), name)
      const first = yield* serve(places)
      const dir = yield* find(first.kernel, "dir")
      assert.strictEqual(yield* outcome(first.kernel.rmdir(rootNode, "dir")), "ENOTEMPTY")
      for (const name of names) {
        const { nodeid } = yield* first.kernel.lookup(dir, name)
        yield* first.kernel.unlink(dir, name)
        first.kernel.forget(nodeid)
      }
      yield* first.kernel.rmdir(rootNode, "dir")
      first.kernel.forget(dir)
      yield* first.kill
      const second = yield* serve(places, "another")
      assert.deepStrictEqual(yield* listed(second.kernel, rootNode), [])
      assert.strictEqual(second.backend.stats().inodes, 1)
    })
  )

  it.effect("lists names in one order, with places that last, whatever comes and goes", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const names = Array.from({ length: 500 }, (_, n) => `name-${n}`)
      for (const name of names) fs.writeFileSync(join(places.base, name), "")
      const { kernel } = yield* serve(places)
      const seen: Array<string> = []
      let at: U64 = 0
      for (let n = 0; ; n++) {
        const entries: ReadonlyArray<{ readonly name: Name; readonly off: U64 }> = yield* kernel.readdir(
          rootNode,
          at,
          7
        )
        const last = entries.at(-1)
        if (last === undefined) break
        seen.push(...entries.map(({ name }) => String(name)))
        at = last.off
        yield* kernel.create({ name: `made-${n}` })
        yield* kernel.unlink(rootNode, seen.at(-1) ?? "")
      }
      const ofBase = seen.filter((name) => name.startsWith("name-"))
      assert.deepStrictEqual(ofBase.length, new Set(ofBase).size)
      assert.deepStrictEqual(ofBase.sort(), [...names].sort())
    })
  )

  it.effect("reads and changes extended attributes of the base", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const file = join(places.base, "file")
      fs.writeFileSync(file, "")
      yield* Effect.promise(() => setAttribute(file, "user.a", "1"))
      yield* Effect.promise(() => setAttribute(file, "user.b", "2"))
      const first = yield* serve(places)
      const nodeid = yield* find(first.kernel, "file")
      assert.strictEqual(String(yield* first.kernel.getxattr(nodeid, "user.a")), String(bytes("1")))
      yield* first.kernel.removexattr(nodeid, "user.a")
      yield* first.kill
      const { kernel } = yield* serve(places, "another")
      yield* find(kernel, "file")
      assert.strictEqual(yield* outcome(kernel.getxattr(nodeid, "user.a")), "ENODATA")
      assert.strictEqual(String(yield* kernel.getxattr(nodeid, "user.b")), String(bytes("2")))
    })
  )

  it.effect("whose server is killed goes on with the nodes that the kernel has", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "dir/deep"), { recursive: true })
      fs.writeFileSync(join(places.base, "dir/deep/file"), "text")
      fs.writeFileSync(join(places.base, "dir/deep/gone"), "gone")
      const first = yield* serve(places)
      const file = yield* find(first.kernel, "dir/deep/file")
      const gone = yield* find(first.kernel, "dir/deep/gone")
      const deep = yield* find(first.kernel, "dir/deep")
      yield* first.kernel.unlink(deep, "gone")
      yield* first.kill
      const second = yield* serve(places, "kernel", [file, gone, deep])
      assert.strictEqual(yield* text(second.kernel, file), "text")
      assert.strictEqual(yield* text(second.kernel, gone), "gone")
      assert.strictEqual((yield* second.kernel.getattr(gone)).nlink, 0)
      yield* second.kernel.write(file, 0, bytes("T"))
      yield* second.kernel.rename(deep, "file", rootNode, "up")
      assert.strictEqual(yield* text(second.kernel, yield* find(second.kernel, "up")), "Text")
      yield* second.kill
      const third = yield* serve(places, "another")
      assert.strictEqual(yield* outcome(third.kernel.getattr(gone)), "ESTALE")
    })
  )
})

describe("a base file that is removed while somebody has it open", () => {
  it.effect("has no row until it is changed, and is there for the servers that follow", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "file"), "text")
      fs.mkdirSync(join(places.base, "dir"))
      const first = yield* serve(places)
      const file = yield* find(first.kernel, "file")
      const dir = yield* find(first.kernel, "dir")
      yield* first.kernel.unlink(rootNode, "file")
      yield* first.kernel.rmdir(rootNode, "dir")
      assert.strictEqual(first.backend.stats().inodes, 1, "the base directory's own")
      assert.deepStrictEqual(first.backend.invariants(), [])
      assert.strictEqual((yield* first.kernel.getattr(file)).nlink, 0)
      assert.strictEqual(yield* text(first.kernel, file), "text")
      yield* first.kill
      const second = yield* serve(places, "kernel", [file, dir])
      assert.strictEqual((yield* second.kernel.getattr(file)).nlink, 0)
      assert.strictEqual((yield* second.kernel.getattr(dir)).nlink, 0)
      assert.strictEqual(yield* outcome(second.kernel.mkdir({ nodeid: dir, name: "in" })), "ENOENT")
      assert.strictEqual(yield* text(second.kernel, file), "text")
      assert.deepStrictEqual(yield* listed(second.kernel, rootNode), [])
      yield* second.kernel.write(file, 0, bytes("T"))
      assert.strictEqual(second.backend.stats().inodes, 2)
      yield* second.kill
      const third = yield* serve(places, "kernel", [file])
      assert.strictEqual(yield* text(third.kernel, file), "Text")
      assert.strictEqual((yield* third.kernel.getattr(file)).nlink, 0)
      third.kernel.forget(file)
      yield* third.kernel.mkdir({ name: "dir" })
      assert.strictEqual(third.backend.stats().inodes, 2)
      yield* third.kill
      const last = yield* serve(places, "another")
      assert.deepStrictEqual(yield* listed(last.kernel, rootNode), ["dir"])
      assert.deepStrictEqual(last.backend.invariants(), [])
    })
  )

  it.effect("has a name again where the base has given it one", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "file"), "text")
      const { kernel } = yield* serve(places)
      const file = yield* find(kernel, "file")
      yield* kernel.unlink(rootNode, "file")
      fs.linkSync(join(places.base, "file"), join(places.base, "other"))
      assert.strictEqual(yield* find(kernel, "other"), file)
      assert.notStrictEqual((yield* kernel.getattr(file)).nlink, 0)
      assert.strictEqual(yield* outcome(kernel.lookup(rootNode, "file")), "ENOENT")
    })
  )
})

const setAttribute = async (path: string, name: string, value: string): Promise<void> => {
  const { execFileSync } = await import("node:child_process")
  execFileSync("python3", ["-c", "import os, sys; os.setxattr(*map(os.fsencode, sys.argv[1:4]))", path, name, value])
}

/** Asks until what was seen of the base has grown old, and the answer is another one. */
const becomes = <A>(expected: A, ask: Effect.Effect<A>): Effect.Effect<A> =>
  ask.pipe(Effect.delay("10 millis"), Effect.repeat({ until: (answer) => answer === expected }))

describe("a base that changes", () => {
  it.live("is followed where nothing was changed here", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const file = join(places.base, "file")
      fs.writeFileSync(file, "old")
      const { kernel } = yield* serve(places)
      const nodeid = yield* find(kernel, "file")
      assert.strictEqual(yield* text(kernel, nodeid), "old")
      fs.writeFileSync(file, "newer")
      fs.writeFileSync(join(places.base, "more"), "")
      assert.strictEqual((yield* kernel.lookup(rootNode, "file")).attr.size, 5)
      assert.strictEqual(yield* text(kernel, nodeid), "newer")
      assert.deepStrictEqual(yield* listed(kernel, rootNode), ["file", "more"])
      fs.unlinkSync(file)
      yield* becomes("ESTALE", outcome(kernel.getattr(nodeid)))
      assert.strictEqual(yield* outcome(kernel.lookup(rootNode, "file")), "ENOENT")
    })
  )

  it.live("is never mixed with what was changed here", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const file = join(places.base, "big")
      fs.writeFileSync(file, big)
      const { kernel } = yield* serve(places)
      const nodeid = yield* find(kernel, "big")
      yield* kernel.write(nodeid, 0, new Uint8Array(kib(64)))
      fs.writeFileSync(file, new Uint8Array(kib(300)).fill(9))
      assert.strictEqual(yield* outcome(kernel.read(nodeid, kib(128), 10)), "ESTALE")
      assert.deepStrictEqual(yield* kernel.read(nodeid, 0, 10), new Uint8Array(10))
    })
  )

  it.effect("gives no number of a changed file to another one", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "file"), "mine")
      const first = yield* serve(places)
      const nodeid = yield* find(first.kernel, "file")
      yield* first.kernel.write(nodeid, 0, bytes("M"))
      yield* first.kill
      fs.unlinkSync(join(places.base, "file"))
      // Some filesystems give the number to the next file.
      for (let n = 0; n < 20; n++) fs.writeFileSync(join(places.base, `other${n}`), "theirs")
      const { kernel } = yield* serve(places, "another")
      for (let n = 0; n < 20; n++) {
        const other = yield* find(kernel, `other${n}`)
        assert.notStrictEqual(other, nodeid)
        assert.strictEqual(yield* text(kernel, other), "theirs")
      }
    })
  )
})

describe("refused", () => {
  const messageOf = (effect: Effect.Effect<unknown, { readonly message: string }, Scope.Scope>) =>
    Effect.scoped(Effect.match(effect, { onFailure: ({ message }) => message, onSuccess: () => "served" }))

  it.effect("are a base that holds the store, a store of another base, a base that is none", () =>
    Effect.gen(function* () {
      const { base, store } = yield* newPlaces
      assert.include(yield* messageOf(workspace(base, { store: join(base, "in.store") })), "holds its own store")
      assert.strictEqual(yield* messageOf(workspace(base, { store })), "served")
      const other = `${base}-other`
      fs.mkdirSync(other)
      assert.include(yield* messageOf(workspace(other, { store })), `is a branch of ${base}, not of ${other}`)
      assert.include(yield* messageOf(workspace(`${base}-none`, { store: `${store}2` })), "cannot be read")
    })
  )
})
