/** A served folder, asked as a kernel asks, and as a hostile one would. */
import { assert, describe, it } from "@effect/vitest"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { passthrough } from "../../src/index.ts"
import { FATTR_SIZE, FATTR_UID } from "../../src/posix/linux.ts"
import { bytes, rootNode } from "../posix/kernel.ts"
import { comingBack, errnoOf, start } from "./servedFolder.ts"

const context = requestContext()

describe("the path of a node", () => {
  it.effect("is that within the folder, by the names that were last seen", () =>
    Effect.gen(function* () {
      const { backend, kernel, served } = yield* start()
      fs.mkdirSync(join(served, "dir"))
      fs.writeFileSync(join(served, "dir", "file"), "text")
      const dir = yield* kernel.lookup(rootNode, "dir")
      const file = yield* kernel.lookup(dir.nodeid, "file")
      assert.strictEqual(backend.pathOf?.(rootNode), "/")
      assert.strictEqual(backend.pathOf?.(file.nodeid), "/dir/file")
      yield* kernel.rename(rootNode, "dir", rootNode, "moved")
      assert.strictEqual(backend.pathOf?.(file.nodeid), "/moved/file")
      assert.isUndefined(backend.pathOf?.(99_999))
    })
  )
})

describe("what is outside of a served folder", () => {
  it.effect("is not reached by names that lead up or along", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      fs.mkdirSync(join(served, "dir"))
      fs.writeFileSync(join(served, "file"), "text")
      const { nodeid } = yield* kernel.lookup(rootNode, "dir")
      for (const name of ["..", ".", "../outside", "../outside/secret", "/etc/passwd", "dir/../../outside", ""]) {
        for (const parent of [rootNode, nodeid]) {
          for (const call of [
            kernel.lookup(parent, name),
            kernel.mkdir({ nodeid: parent, name }),
            kernel.create({ nodeid: parent, name }),
            kernel.unlink(parent, name),
            kernel.rmdir(parent, name),
            kernel.rename(rootNode, "file", parent, name),
            kernel.symlink({ nodeid: parent, name })
          ])
            assert.strictEqual(yield* errnoOf(call), "EINVAL", name)
        }
      }
      assert.deepStrictEqual(fs.readdirSync(outside), ["secret"])
      assert.deepStrictEqual(fs.readdirSync(served).sort(), ["dir", "file"])
    })
  )

  it.effect("is not reached through symlinks, whatever is asked of them", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      fs.symlinkSync(outside, join(served, "folder"))
      fs.symlinkSync(join(outside, "secret"), join(served, "file"))
      const folder = yield* kernel.lookup(rootNode, "folder")
      const file = yield* kernel.lookup(rootNode, "file")
      assert.strictEqual(yield* kernel.readlink(file.nodeid), join(outside, "secret"))
      assert.strictEqual(yield* errnoOf(kernel.lookup(folder.nodeid, "secret")), "ENOTDIR")
      assert.strictEqual(yield* errnoOf(kernel.create({ nodeid: folder.nodeid, name: "made" })), "ENOTDIR")
      assert.strictEqual(yield* errnoOf(kernel.open({ nodeid: file.nodeid })), "ELOOP")
      assert.include(
        ["ELOOP", "EINVAL"],
        yield* errnoOf(kernel.setattr({ nodeid: file.nodeid, valid: FATTR_SIZE, size: 0 }))
      )
      yield* kernel.setattr({ nodeid: file.nodeid, valid: FATTR_UID, newUid: 12345 })
      assert.strictEqual(fs.lstatSync(join(served, "file")).uid, 12345, "the link itself")
      assert.strictEqual(fs.statSync(join(outside, "secret")).uid, 0)
      assert.strictEqual(fs.readFileSync(join(outside, "secret"), "utf8"), "secret")
      assert.deepStrictEqual(fs.readdirSync(outside), ["secret"])
    })
  )

  it.effect("is not reached when a folder is changed for a symlink between two calls", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      fs.mkdirSync(join(served, "dir"))
      const { nodeid } = yield* kernel.lookup(rootNode, "dir")
      fs.renameSync(join(served, "dir"), join(served, "moved"))
      fs.symlinkSync(outside, join(served, "dir"))
      assert.strictEqual(yield* errnoOf(kernel.lookup(nodeid, "secret")), "ENOENT")
      yield* comingBack(kernel.create({ nodeid, name: "made" }))
      assert.deepStrictEqual(fs.readdirSync(join(served, "moved")), ["made"])
      assert.deepStrictEqual(fs.readdirSync(outside), ["secret"])
    })
  )

  it.live("is not served when a folder that is in use is moved there", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      fs.mkdirSync(join(served, "dir"))
      const { nodeid } = yield* kernel.lookup(rootNode, "dir")
      fs.renameSync(join(served, "dir"), join(outside, "dir"))
      const made = (n: number) => Effect.result(comingBack(kernel.mkdir({ nodeid, name: `made${n}` })))
      let n = 0
      const last = yield* Effect.repeat(
        Effect.andThen(
          Effect.sleep(20),
          Effect.suspend(() => made(n++))
        ),
        { until: (result) => result._tag === "Failure" }
      )
      assert.strictEqual(last._tag === "Failure" ? last.failure._tag : undefined, "ESTALE")
      assert.strictEqual(yield* errnoOf(kernel.lookup(nodeid, "made0")), "ESTALE")
      assert.strictEqual(yield* errnoOf(kernel.rename(nodeid, "made0", rootNode, "back")), "ESTALE")
      fs.renameSync(join(outside, "dir"), join(served, "back"))
      yield* comingBack(kernel.mkdir({ nodeid, name: "after" }))
    })
  )
})

/** Whether this process has CAP_DAC_READ_SEARCH (2), which open_by_handle_at(2) needs. */
const findsByHandle =
  (BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(fs.readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0"}`) & (1n << 2n)) !==
  0n

describe("nodes of a served folder", () => {
  const many = 600

  it.effect("hold a few descriptors, and are found again", () =>
    Effect.gen(function* () {
      const { backend, kernel, served } = yield* start({ maxDescriptors: 64 })
      const before = fs.readdirSync("/proc/self/fd").length
      const found: Array<{ readonly nodeid: number | bigint; readonly ino: number | bigint }> = []
      for (let i = 0; i < many; i++) {
        fs.writeFileSync(join(served, `file${i}`), `${i}`)
        const { attr, nodeid } = yield* kernel.lookup(rootNode, `file${i}`)
        found.push({ nodeid, ino: attr.ino })
      }
      assert.isAtMost(backend.descriptors(), 66)
      assert.isAtMost(fs.readdirSync("/proc/self/fd").length - before, 70)
      // Moved, by others and by the kernel: a node is the file, not its name.
      for (let i = 0; i < many; i += 2) fs.renameSync(join(served, `file${i}`), join(served, `moved${i}`))
      for (let i = 0; i < many; i += 4) yield* kernel.rename(rootNode, `moved${i}`, rootNode, `again${i}`)
      for (const [i, { ino, nodeid }] of found.entries()) {
        // One that is found by its path must be looked up when others have moved it.
        if (!findsByHandle && i % 4 === 2) {
          assert.strictEqual(yield* errnoOf(kernel.getattr(nodeid)), "ESTALE")
          assert.strictEqual((yield* kernel.lookup(rootNode, `moved${i}`)).nodeid, nodeid)
        }
        assert.strictEqual((yield* kernel.getattr(nodeid)).ino, ino)
        const { fh } = yield* kernel.open({ nodeid })
        assert.strictEqual(yield* Effect.map(kernel.getattr(nodeid), ({ size }) => size), `${i}`.length)
        backend.release?.(
          { op: "release", unique: 2, nodeid, uid: 0, gid: 0, pid: 1, fh, flags: 0, releaseFlags: 0, lockOwner: 0 },
          context
        )
      }
      assert.strictEqual((yield* kernel.lookup(rootNode, "again0")).nodeid, found[0]?.nodeid)
      // One that is gone is gone, also when another has its number.
      const gone = found[1]
      fs.rmSync(join(served, "file1"))
      for (let i = 0; i < 50; i++) fs.writeFileSync(join(served, `new${i}`), "")
      assert.strictEqual(yield* errnoOf(kernel.getattr(gone?.nodeid ?? 0)), "ESTALE")
      for (const { nodeid } of found) kernel.forget(nodeid)
      assert.isAtMost(backend.descriptors(), 1)
    })
  )

  it.effect("that have no name any more are kept, however many others come", () =>
    Effect.gen(function* () {
      const { backend, kernel, served } = yield* start({ maxDescriptors: 16 })
      const { nodeid } = yield* kernel.mkdir({ name: "dir" })
      yield* kernel.rmdir(rootNode, "dir")
      const unnamed = yield* kernel.tmpfile({ flags: 2 })
      backend.release?.(
        {
          op: "release",
          unique: 2,
          nodeid: unnamed.nodeid,
          uid: 0,
          gid: 0,
          pid: 1,
          fh: 0,
          flags: 0,
          releaseFlags: 0,
          lockOwner: 0
        },
        context
      )
      for (let i = 0; i < 100; i++) {
        fs.writeFileSync(join(served, `file${i}`), "")
        yield* kernel.lookup(rootNode, `file${i}`)
      }
      assert.isAtMost(backend.descriptors(), 20)
      for (const held of [nodeid, unnamed.nodeid]) assert.strictEqual((yield* kernel.getattr(held)).nlink, 0)
      yield* kernel.link(unnamed.nodeid, rootNode, "named")
      assert.isTrue(fs.existsSync(join(served, "named")))
    })
  )

  it.effect("are one for all hard links, and another for a file that comes after", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      const { nodeid } = yield* kernel.create({ name: "file" })
      const linked = yield* kernel.link(nodeid, rootNode, "other")
      assert.strictEqual(linked.nodeid, nodeid)
      fs.linkSync(join(served, "file"), join(served, "third"))
      assert.strictEqual((yield* kernel.lookup(rootNode, "third")).nodeid, nodeid)
      assert.strictEqual((yield* kernel.getattr(nodeid)).nlink, 3)
      for (const name of ["file", "other", "third"]) yield* kernel.unlink(rootNode, name)
      assert.strictEqual((yield* kernel.getattr(nodeid)).nlink, 0, "it is held")
      kernel.forget(nodeid)
      const next = yield* kernel.create({ name: "file" })
      assert.notDeepEqual([next.nodeid, next.generation], [nodeid, linked.generation])
    })
  )

  it.effect("are listed from any cookie on, and names that are no UTF-8 are their bytes", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      const name = Buffer.from([0x61, 0xff])
      fs.writeFileSync(Buffer.concat([Buffer.from(`${served}/`), name]), "")
      for (let i = 0; i < 1200; i++) fs.writeFileSync(join(served, `file${i}`), "")
      yield* kernel.opendir(rootNode)
      const seen: Array<string | Uint8Array> = []
      for (let offset: number | bigint = 0; ;) {
        const part: ReadonlyArray<{ readonly name: string | Uint8Array; readonly off: number | bigint }> =
          yield* kernel.readdir(rootNode, offset, 7)
        if (part.length === 0) break
        seen.push(...part.map((entry) => entry.name))
        offset = part.at(-1)?.off ?? 0
      }
      assert.strictEqual(seen.length, 1203)
      assert.strictEqual(new Set(seen.map(String)).size, 1203)
      assert.deepInclude(
        seen.map((each) => (typeof each === "string" ? each : [...each])),
        [...name]
      )
    })
  )
})

describe("options of a served folder", () => {
  it.effect("new files are their callers', by the ids of the mount", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start({
        uids: [
          { inside: 0, outside: 0, count: 1 },
          { inside: 1000, outside: 5000, count: 10 }
        ]
      })
      const user = { uid: 1003, gid: 77 }
      fs.chmodSync(served, 0o777)
      const { nodeid } = yield* kernel.create({ name: "file" }, user)
      assert.deepInclude(fs.statSync(join(served, "file")), { uid: 5003, gid: 77 })
      assert.deepInclude(yield* kernel.getattr(nodeid), { uid: 1003, gid: 77 })
      assert.strictEqual(yield* errnoOf(kernel.create({ name: "nobody's" }, { uid: 2000, gid: 77 })), "EOVERFLOW")
      assert.strictEqual(yield* errnoOf(kernel.setattr({ nodeid, valid: FATTR_UID, newUid: 2000 })), "EOVERFLOW")
      fs.chownSync(join(served, "file"), 4, 4)
      assert.strictEqual((yield* kernel.getattr(nodeid)).uid, 65534)
      assert.strictEqual(process.getuid?.(), 0)
      const { fsuid } =
        /Uid:\s+\d+\s+\d+\s+\d+\s+(?<fsuid>\d+)/.exec(fs.readFileSync("/proc/thread-self/status", "latin1"))?.groups ??
        {}
      assert.strictEqual(fsuid, "0", "and this thread is itself again")
    })
  )

  it.effect("read-only refuses every change; without xattrs there are none", () =>
    Effect.gen(function* () {
      const { backend, kernel, served } = yield* start({ readOnly: true, xattrs: false })
      fs.writeFileSync(join(served, "file"), "text")
      const { nodeid } = yield* kernel.lookup(rootNode, "file")
      for (const call of [
        kernel.mkdir({}),
        kernel.create({}),
        kernel.unlink(rootNode, "file"),
        kernel.setattr({ nodeid, valid: FATTR_SIZE }),
        kernel.open({ nodeid, flags: 1 }),
        kernel.write(nodeid, 0, bytes("x"))
      ])
        assert.strictEqual(yield* errnoOf(call), "EROFS")
      yield* kernel.open({ nodeid })
      assert.isUndefined(backend.getxattr)
    })
  )

  it.live("offsets that no file has are refused, not thrown at", () =>
    Effect.gen(function* () {
      const { kernel } = yield* start()
      const { nodeid } = yield* kernel.create({ flags: 2 })
      for (const offset of [2n ** 63n, 2n ** 64n - 1n]) {
        for (const call of [
          kernel.write(nodeid, offset, bytes("x")),
          kernel.fallocate(nodeid, 0, offset, 1),
          kernel.copyFileRange(nodeid, offset, nodeid, 0, 1)
        ]) {
          assert.include(["EINVAL", "EOVERFLOW", "EFBIG"], yield* errnoOf(call))
        }
      }
    })
  )

  it.effect("a folder that is none is told by its name", () =>
    Effect.gen(function* () {
      for (const path of ["/nonexistent/folder", "/etc/passwd"]) {
        const error = yield* Effect.flip(passthrough(path))
        assert.include(error.message, path)
      }
      assert.throws(
        () => Effect.runSync(Effect.scoped(passthrough("/", { uids: [{ inside: -1, outside: 0, count: 1 }] }))),
        RangeError
      )
    })
  )
})
