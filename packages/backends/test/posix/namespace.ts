import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Make } from "./make.ts"
import {
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK
} from "../../src/posix/linux.ts"
import { bytes, makeKernel, outcome, rootNode } from "./kernel.ts"

/** Names, links, renames: the rules that are the same for every store. */
export const testNames = (make: Make): void => {
  const start = Effect.gen(function* () {
    let sec = 1000
    const backend = yield* make({ clock: () => ({ sec: ++sec, nsec: 0 }) })
    return { backend, kernel: makeKernel(backend) }
  })

  describe("names", () => {
    it.effect("are found, missing, too long, in use", () =>
      Effect.gen(function* () {
        const { kernel } = yield* start
        const file = yield* kernel.create({ name: "a" })
        assert.strictEqual((yield* kernel.lookup(rootNode, "a")).nodeid, file.nodeid)
        assert.strictEqual((yield* kernel.lookup(rootNode, ".")).nodeid, rootNode)
        const long = "é".repeat(128)
        for (const name of [long, "x".repeat(256), new Uint8Array(256).fill(0xff)]) {
          assert.strictEqual(yield* outcome(kernel.lookup(rootNode, name)), "ENAMETOOLONG")
          assert.strictEqual(yield* outcome(kernel.mkdir({ name })), "ENAMETOOLONG")
        }
        assert.strictEqual(yield* outcome(kernel.mkdir({ name: "é".repeat(127) + "x" })), "ok")
        assert.strictEqual(yield* outcome(kernel.lookup(rootNode, "b")), "ENOENT")
        assert.strictEqual(yield* outcome(kernel.lookup(file.nodeid, "b")), "ENOTDIR")
        assert.strictEqual(yield* outcome(kernel.lookup(99, "b")), "ESTALE")
        assert.strictEqual(yield* outcome(kernel.mknod({ name: "a" })), "EEXIST")
        assert.strictEqual(yield* outcome(kernel.create({ name: "a", flags: 0o200 })), "EEXIST")
        assert.strictEqual((yield* kernel.create({ name: "a" })).nodeid, file.nodeid)
      })
    )

    it.effect("make paths, by which a log tells of a node", () =>
      Effect.gen(function* () {
        const { backend, kernel } = yield* start
        const above = yield* kernel.mkdir({ name: "above" })
        const folder = yield* kernel.mkdir({ nodeid: above.nodeid, name: "folder" })
        const file = yield* kernel.create({ nodeid: folder.nodeid, name: "é" })
        const other = yield* kernel.create({ name: Uint8Array.of(0xff) })
        const { pathOf } = backend
        assert.strictEqual(pathOf?.(rootNode), "/")
        assert.strictEqual(pathOf?.(folder.nodeid), "/above/folder")
        assert.strictEqual(pathOf?.(file.nodeid), "/above/folder/é")
        assert.deepStrictEqual(Buffer.from(pathOf?.(other.nodeid) ?? ""), Buffer.from([0x2f, 0xff]))
        yield* kernel.rename(above.nodeid, "folder", rootNode, "moved")
        assert.strictEqual(pathOf?.(file.nodeid), "/moved/é")
        yield* kernel.unlink(folder.nodeid, "é")
        assert.isUndefined(pathOf?.(file.nodeid))
        assert.isUndefined(pathOf?.(99_999))
      })
    )

    it.effect("that are missing may be remembered", () =>
      Effect.gen(function* () {
        const kernel = makeKernel(yield* make({ negativeTimeout: 2.5 }))
        const entry = yield* kernel.lookup(rootNode, "none")
        assert.strictEqual(entry.nodeid, 0)
        assert.deepStrictEqual(entry.entryValid, { sec: 2, nsec: 500_000_000 })
      })
    )

    it.effect("may be of any type of file", () =>
      Effect.gen(function* () {
        const { kernel } = yield* start
        for (const [name, type, rdev] of [
          ["c", S_IFCHR, 0x501],
          ["b", S_IFBLK, 0x702],
          ["p", S_IFIFO, 0],
          ["s", S_IFSOCK, 0]
        ] as const) {
          const { nodeid } = yield* kernel.mknod({ name, mode: type | 0o640, rdev })
          const attr = yield* kernel.getattr(nodeid)
          assert.deepStrictEqual([attr.mode, attr.rdev, attr.nlink], [type | 0o640, rdev, 1])
        }
        const { stat } = yield* kernel.statx((yield* kernel.lookup(rootNode, "c")).nodeid)
        assert.deepStrictEqual([stat.rdevMajor, stat.rdevMinor], [5, 1])
        assert.strictEqual(yield* outcome(kernel.mknod({ name: "d", mode: 0o040755 })), "EPERM")
        const link = yield* kernel.symlink({ name: "l", target: "über" })
        assert.strictEqual((yield* kernel.getattr(link.nodeid)).size, 5)
        assert.strictEqual(yield* kernel.readlink(link.nodeid), "über")
        assert.strictEqual(yield* outcome(kernel.readlink(rootNode)), "EINVAL")
        assert.strictEqual(yield* outcome(kernel.symlink({ name: "m", target: "x".repeat(4096) })), "ENAMETOOLONG")
        assert.strictEqual(yield* outcome(kernel.symlink({ name: "m", target: "x".repeat(4095) })), "ok")
      })
    )

    it.effect("are linked and removed, with times and link counts", () =>
      Effect.gen(function* () {
        const { kernel } = yield* start
        const dir = yield* kernel.mkdir({})
        assert.strictEqual((yield* kernel.getattr(rootNode)).nlink, 3)
        const file = yield* kernel.create({ nodeid: dir.nodeid, name: "a" })
        const before = yield* kernel.getattr(file.nodeid)
        const parent = yield* kernel.getattr(dir.nodeid)
        yield* kernel.link(file.nodeid, dir.nodeid, "b")
        const after = yield* kernel.getattr(file.nodeid)
        assert.strictEqual(after.nlink, 2)
        assert.isTrue(after.ctime.sec > before.ctime.sec && after.mtime.sec === before.mtime.sec)
        assert.isTrue((yield* kernel.getattr(dir.nodeid)).mtime.sec > parent.mtime.sec)
        assert.strictEqual(yield* outcome(kernel.link(file.nodeid, dir.nodeid, "b")), "EEXIST")
        assert.strictEqual(yield* outcome(kernel.link(dir.nodeid, rootNode, "x")), "EPERM")
        assert.strictEqual(yield* outcome(kernel.unlink(rootNode, "dir")), "EISDIR")
        assert.strictEqual(yield* outcome(kernel.rmdir(dir.nodeid, "a")), "ENOTDIR")
        assert.strictEqual(yield* outcome(kernel.rmdir(rootNode, "dir")), "ENOTEMPTY")
        yield* kernel.unlink(dir.nodeid, "a")
        yield* kernel.unlink(dir.nodeid, "b")
        assert.strictEqual(yield* outcome(kernel.unlink(dir.nodeid, "b")), "ENOENT")
        yield* kernel.rmdir(rootNode, "dir")
        assert.strictEqual((yield* kernel.getattr(rootNode)).nlink, 2)
        assert.strictEqual(yield* outcome(kernel.create({ nodeid: dir.nodeid, name: "late" })), "ENOENT")
        assert.strictEqual(yield* outcome(kernel.link(file.nodeid, dir.nodeid, "late")), "ENOENT")
        assert.deepStrictEqual(yield* kernel.readdir(dir.nodeid), [])
      })
    )

    it.effect("gone, a file lives until the kernel forgets it; no other file is taken for it", () =>
      Effect.gen(function* () {
        const { backend, kernel } = yield* start
        const file = yield* kernel.create({ name: "a" })
        yield* kernel.write(file.nodeid, 0, bytes("still here"))
        yield* kernel.lookup(rootNode, "a")
        yield* kernel.unlink(rootNode, "a")
        assert.strictEqual((yield* kernel.getattr(file.nodeid)).nlink, 0)
        kernel.forget(file.nodeid, 1)
        assert.deepStrictEqual(yield* kernel.read(file.nodeid, 0, 99), bytes("still here"))
        kernel.forget(file.nodeid)
        assert.strictEqual(yield* outcome(kernel.getattr(file.nodeid)), "ESTALE")
        assert.deepInclude(backend.stats(), { inodes: 1, bytes: 0 })
        const other = yield* kernel.create({ name: "b" })
        assert.notDeepEqual([other.nodeid, other.generation], [file.nodeid, file.generation])
      })
    )

    it.effect("listed with attributes and removed, a file is freed when forgotten", () =>
      Effect.gen(function* () {
        const { backend, kernel } = yield* start
        for (const name of ["a", "b", "c"]) {
          yield* kernel.mknod({ name })
          kernel.forget((yield* kernel.lookup(rootNode, name)).nodeid)
        }
        // The second file is taken from the iterator, but does not fit.
        const listed = yield* kernel.readdirplus(rootNode, 0, 3)
        assert.deepStrictEqual(
          listed.slice(0, 2).map(({ name }) => name),
          [".", ".."]
        )
        assert.include(["a", "b", "c"], listed[2]?.name)
        for (const name of ["a", "b", "c"]) {
          const { nodeid } = yield* kernel.lookup(rootNode, name)
          yield* kernel.unlink(rootNode, name)
          kernel.forget(nodeid)
        }
        assert.strictEqual(backend.stats().inodes, 1)
      })
    )

    it.effect("come late to a file made without one", () =>
      Effect.gen(function* () {
        const { backend, kernel } = yield* start
        const file = yield* kernel.tmpfile({})
        assert.strictEqual((yield* kernel.getattr(file.nodeid)).nlink, 0)
        yield* kernel.link(file.nodeid, rootNode, "named")
        assert.strictEqual((yield* kernel.getattr(file.nodeid)).nlink, 1)
        const other = yield* kernel.tmpfile({})
        kernel.forget(other.nodeid)
        assert.strictEqual(backend.stats().inodes, 2)
      })
    )
  })

  describe("rename", () => {
    it.effect("moves, replaces and refuses as rename(2) says", () =>
      Effect.gen(function* () {
        const { backend, kernel } = yield* start
        const d = yield* kernel.mkdir({ name: "d" })
        const e = yield* kernel.mkdir({ name: "e", nodeid: d.nodeid })
        const f = yield* kernel.create({ name: "f" })
        const g = yield* kernel.create({ name: "g" })
        const move = (from: string, to: string, flags = 0) => kernel.rename(rootNode, from, rootNode, to, flags)
        assert.strictEqual(yield* outcome(move("none", "x")), "ENOENT")
        assert.strictEqual(yield* outcome(move("d", "f")), "ENOTDIR")
        assert.strictEqual(yield* outcome(move("f", "d")), "EISDIR")
        assert.strictEqual(yield* outcome(kernel.rename(rootNode, "d", e.nodeid, "x")), "EINVAL")
        assert.strictEqual(yield* outcome(kernel.rename(rootNode, "d", d.nodeid, "x")), "EINVAL")
        yield* kernel.mkdir({ name: "h" })
        assert.strictEqual(yield* outcome(move("h", "d")), "ENOTEMPTY")
        assert.strictEqual(yield* outcome(move("f", "g", RENAME_NOREPLACE)), "EEXIST")
        assert.strictEqual(yield* outcome(move("f", "g", RENAME_NOREPLACE | RENAME_EXCHANGE)), "EINVAL")
        assert.strictEqual(yield* outcome(move("f", "none", RENAME_EXCHANGE)), "ENOENT")
        assert.strictEqual(yield* outcome(move("f", "g", 8)), "EINVAL")

        const before = yield* kernel.getattr(f.nodeid)
        yield* move("f", "g")
        assert.strictEqual((yield* kernel.lookup(rootNode, "g")).nodeid, f.nodeid)
        assert.isTrue((yield* kernel.getattr(f.nodeid)).ctime.sec > before.ctime.sec)
        assert.strictEqual((yield* kernel.getattr(g.nodeid)).nlink, 0)
        kernel.forget(g.nodeid)
        yield* kernel.rename(d.nodeid, "e", rootNode, "h")
        assert.deepStrictEqual(
          [(yield* kernel.getattr(rootNode)).nlink, (yield* kernel.getattr(d.nodeid)).nlink],
          [4, 2]
        )
        assert.strictEqual((yield* kernel.lookup(e.nodeid, "..")).nodeid, rootNode)
        assert.strictEqual(backend.stats().inodes, 5)
      })
    )

    it.effect("of one link of a file to another does nothing", () =>
      Effect.gen(function* () {
        const { kernel } = yield* start
        const a = yield* kernel.create({ name: "a" })
        yield* kernel.link(a.nodeid, rootNode, "b")
        const before = [yield* kernel.getattr(a.nodeid), yield* kernel.getattr(rootNode)]
        yield* kernel.rename(rootNode, "a", rootNode, "b")
        assert.deepStrictEqual([yield* kernel.getattr(a.nodeid), yield* kernel.getattr(rootNode)], before)
      })
    )

    it.effect("exchanges a file and a directory in different places", () =>
      Effect.gen(function* () {
        const { kernel } = yield* start
        const d = yield* kernel.mkdir({ name: "d" })
        const inner = yield* kernel.mkdir({ nodeid: d.nodeid, name: "inner" })
        const f = yield* kernel.create({ name: "f" })
        assert.strictEqual(yield* outcome(kernel.rename(d.nodeid, "inner", rootNode, "d", RENAME_EXCHANGE)), "EINVAL")
        yield* kernel.rename(d.nodeid, "inner", rootNode, "f", RENAME_EXCHANGE)
        assert.strictEqual((yield* kernel.lookup(rootNode, "f")).nodeid, inner.nodeid)
        assert.strictEqual((yield* kernel.lookup(d.nodeid, "inner")).nodeid, f.nodeid)
        assert.strictEqual((yield* kernel.lookup(inner.nodeid, "..")).nodeid, rootNode)
        assert.deepStrictEqual(
          [(yield* kernel.getattr(rootNode)).nlink, (yield* kernel.getattr(d.nodeid)).nlink],
          [4, 2]
        )
        assert.strictEqual(yield* outcome(kernel.rename(rootNode, "d", d.nodeid, "inner", RENAME_EXCHANGE)), "EINVAL")
      })
    )

    it.effect("leaves a whiteout, or fails before anything has changed", () =>
      Effect.gen(function* () {
        const backend = yield* make({ maxInodes: 3 })
        const kernel = makeKernel(backend)
        const a = yield* kernel.create({ name: "a" })
        yield* kernel.rename(rootNode, "a", rootNode, "b", RENAME_WHITEOUT)
        const left = yield* kernel.getattr((yield* kernel.lookup(rootNode, "a")).nodeid)
        assert.deepStrictEqual([left.mode, left.rdev], [S_IFCHR, 0])
        assert.strictEqual(yield* outcome(kernel.rename(rootNode, "b", rootNode, "c", RENAME_WHITEOUT)), "ENOSPC")
        assert.strictEqual((yield* kernel.lookup(rootNode, "b")).nodeid, a.nodeid)
        assert.strictEqual(yield* outcome(kernel.lookup(rootNode, "c")), "ENOENT")
      })
    )
  })
}
