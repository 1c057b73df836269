/** Files that are removed while they are open: whoever has one open uses it as before. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { memoryCallbacks } from "../../../../test/path/memoryPaths.ts"
import type { PathCallbacks } from "../../src/index.ts"
import { drive } from "./drive.ts"

const outcome = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const FATTR_MODE = 1
const FATTR_UID = 2
const FATTR_SIZE = 8
const FATTR_MTIME = 32

/** Without `rename` nothing can be hidden. */
const withoutRename = (callbacks: PathCallbacks<object>): PathCallbacks<object> => {
  const { rename, ...rest } = callbacks
  return rename === undefined ? callbacks : rest
}

const kinds = {
  "hidden until it is closed": (log: (line: string) => void): PathCallbacks<object> =>
    memoryCallbacks({ log }) as PathCallbacks<object>,
  "kept by its handles": (log: (line: string) => void): PathCallbacks<object> =>
    memoryCallbacks({ log, fgetattr: true }) as PathCallbacks<object>,
  "that nothing can be asked about": (log: (line: string) => void): PathCallbacks<object> =>
    withoutRename(memoryCallbacks({ log }) as PathCallbacks<object>)
}

for (const [kind, callbacks] of Object.entries(kinds)) {
  describe(`a removed file ${kind}`, () => {
    it.live("can be looked at, changed, read, written and opened once more", () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const { create, getattr, open, read, release, setattr, unlink, write } = yield* drive(
          callbacks((line) => log.push(line.replace(/ .*/, "")))
        )
        const { fh, nodeid } = yield* create(1, "file")
        yield* write(nodeid, fh, "content")
        yield* unlink(1, "file")
        const { nlink, size } = yield* getattr(nodeid)
        assert.deepStrictEqual([nlink, size], [0, 7])
        assert.strictEqual((yield* setattr(nodeid, FATTR_MODE, { mode: 0o640 })).mode, 0o100640)
        assert.strictEqual((yield* setattr(nodeid, FATTR_UID, { newUid: 17 })).uid, 17)
        assert.strictEqual((yield* setattr(nodeid, FATTR_MTIME, { mtime: { sec: 6, nsec: 5 } })).mtime.sec, 6)
        const after = yield* getattr(nodeid)
        assert.deepStrictEqual([after.mode, after.uid, after.mtime], [0o100640, 17, { sec: 6, nsec: 5 }])
        const again = (yield* open(nodeid)).fh
        assert.strictEqual(yield* read(nodeid, again), "content")
        yield* release(nodeid, fh)
        assert.strictEqual(yield* read(nodeid, again), "content")
        yield* write(nodeid, again, "contents")
        assert.strictEqual((yield* getattr(nodeid)).size, 8)
        yield* release(nodeid, again)
        assert.strictEqual(
          log.filter((line) => line === "open").length,
          log.filter((line) => line === "release").length
        )
      })
    )
  })
}

describe("a removed file", () => {
  it.live("is cut by its handle, and has what the callbacks for handles are told", () =>
    Effect.gen(function* () {
      const told: Array<unknown> = []
      const tell =
        (name: string) =>
        (...args: ReadonlyArray<unknown>): void =>
          void told.push([name, ...args.slice(1, -1)])
      const callbacks = memoryCallbacks({ fgetattr: true })
      const { create, getxattr, removexattr, setattr, setxattr, unlink, write } = yield* drive({
        ...callbacks,
        fchmod: tell("fchmod"),
        fchown: tell("fchown"),
        futimens: tell("futimens"),
        fsetxattr: tell("fsetxattr"),
        fgetxattr: () => "value"
      })
      const { fh, nodeid } = yield* create(1, "file")
      yield* write(nodeid, fh, "content")
      yield* unlink(1, "file")
      assert.strictEqual((yield* setattr(nodeid, FATTR_SIZE, { size: 3 })).size, 3)
      yield* setattr(nodeid, FATTR_MODE | FATTR_UID | FATTR_MTIME, {
        mode: 0o600,
        newUid: 4,
        mtime: { sec: 1, nsec: 2 }
      })
      yield* setxattr(nodeid, "user.a", "b")
      assert.deepStrictEqual(told, [
        ["fchmod", 0o600],
        ["fchown", 4, -1],
        ["futimens", undefined, { sec: 1, nsec: 2 }],
        ["fsetxattr", "user.a", new Uint8Array(Buffer.from("b")), 0]
      ])
      const value = yield* getxattr(nodeid, "user.a")
      assert.strictEqual(value instanceof Uint8Array ? Buffer.from(value).toString() : value, "value")
      assert.strictEqual(yield* outcome(removexattr(nodeid, "user.a")), "ENOTSUP")
    })
  )

  it.live("is opened once more only for what a handle of it allows, unless a callback does it", () =>
    Effect.gen(function* () {
      const readOnly = 0
      const opened = yield* drive(memoryCallbacks({ fgetattr: true }))
      const file = yield* opened.create(1, "file", readOnly)
      yield* opened.unlink(1, "file")
      assert.strictEqual(yield* outcome(opened.open(file.nodeid, 2)), "ENOENT")
      assert.strictEqual(yield* outcome(opened.open(file.nodeid, readOnly)), "ok")

      const flagsSeen: Array<number> = []
      const reopened = yield* drive({
        ...memoryCallbacks({ fgetattr: true }),
        reopen: (handle, flags) => {
          flagsSeen.push(flags)
          return handle
        }
      })
      const other = yield* reopened.create(1, "file", readOnly)
      yield* reopened.unlink(1, "file")
      yield* reopened.open(other.nodeid, 2)
      assert.deepStrictEqual(flagsSeen, [2])
    })
  )

  for (const how of ["removed", "replaced by another"] as const) {
    it.live(`is in nobody's way when its directory is ${how}`, () =>
      Effect.gen(function* () {
        const { create, mkdir, names, read, release, rename, rmdir, unlink, write } = yield* drive(memoryCallbacks())
        const dir = yield* mkdir(1, "dir")
        const { fh, nodeid } = yield* create(dir, "file")
        const second = yield* create(dir, "second")
        yield* write(nodeid, fh, "content")
        yield* unlink(dir, "file")
        assert.strictEqual(yield* outcome(rmdir(1, "dir")), "ENOTEMPTY")
        yield* unlink(dir, "second")
        if (how === "removed") yield* rmdir(1, "dir")
        else {
          yield* mkdir(1, "other")
          yield* rename(1, "other", 1, "dir")
        }
        assert.deepStrictEqual(yield* names(1), how === "removed" ? [] : ["dir"])
        assert.strictEqual(yield* read(nodeid, fh), "content")
        yield* release(nodeid, fh)
        yield* release(second.nodeid, second.fh)
        assert.deepStrictEqual(yield* names(1), how === "removed" ? [] : ["dir"])
      })
    )
  }
})

describe("sizes", () => {
  it.live("that JavaScript has no buffer for are EFBIG, and the file stays", () =>
    Effect.gen(function* () {
      // As a filesystem does that thinks of no limit.
      const callbacks = memoryCallbacks()
      let data = Buffer.from("keep")
      const grow = (size: number | bigint): void => {
        data = Buffer.concat([data, Buffer.alloc(Number(size) - data.length)])
      }
      const { create, getattr, kernel, setattr } = yield* drive({
        ...callbacks,
        truncate: (_path, size) => grow(size),
        write: (_file, _data, offset) => grow(offset),
        fallocate: (_file, _mode, offset, length) => grow(BigInt(offset) + BigInt(length)),
        getattr: (path, context) =>
          path === "/file" ? { mode: 0o100644, size: data.length } : callbacks.getattr(path, context)
      })
      const { fh, nodeid } = yield* create(1, "file")
      const far = 2n ** 63n - 2n
      assert.strictEqual(yield* outcome(setattr(nodeid, FATTR_SIZE, { size: far })), "EFBIG")
      assert.strictEqual(
        yield* outcome(kernel.call({ op: "fallocate", nodeid, fh, mode: 0, offset: 4, length: far - 4n })),
        "EFBIG"
      )
      const write = {
        op: "write",
        nodeid,
        fh,
        offset: far,
        size: 1,
        writeFlags: 0,
        lockOwner: 0,
        flags: 0,
        data: Buffer.from("x")
      } as const
      assert.strictEqual(yield* outcome(kernel.call(write)), "EFBIG")
      assert.strictEqual((yield* getattr(nodeid)).size, 4)
    })
  )
})

describe("POSIX ACLs", () => {
  for (const name of ["system.posix_acl_access", "system.posix_acl_default"]) {
    it.live(`${name} is refused, unless the callbacks serve ACLs`, () =>
      Effect.gen(function* () {
        const refusing = yield* drive(memoryCallbacks())
        const { nodeid } = yield* refusing.create(1, "file")
        assert.strictEqual(yield* outcome(refusing.setxattr(nodeid, name, "value")), "ENOTSUP")
        assert.strictEqual(yield* outcome(refusing.getxattr(nodeid, name)), "ENOTSUP")
        assert.strictEqual(yield* outcome(refusing.removexattr(nodeid, name)), "ENOTSUP")
        assert.strictEqual(yield* outcome(refusing.setxattr(nodeid, "user.a", "value")), "ok")
        assert.isFalse(refusing.session.connection.negotiated?.posixAcl)

        const serving = yield* drive(memoryCallbacks(), { posixAcl: true })
        const served = yield* serving.create(1, "file")
        assert.strictEqual(yield* outcome(serving.setxattr(served.nodeid, name, "value")), "ok")
        const { dontMask, posixAcl } = serving.session.connection.negotiated ?? {}
        assert.deepStrictEqual([posixAcl, dontMask], [true, true])
      })
    )
  }
})
