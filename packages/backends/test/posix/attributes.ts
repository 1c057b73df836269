import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Make } from "./make.ts"
import {
  FATTR_ATIME,
  FATTR_GID,
  FATTR_KILL_SUIDGID,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_WRITE_KILL_SUIDGID,
  O_NOATIME,
  O_TRUNC,
  XATTR_CREATE,
  XATTR_REPLACE
} from "../../src/posix/linux.ts"
import { bytes, makeKernel, outcome, rootNode } from "./kernel.ts"

/** Attributes, privileges, extended attributes. */
export const testAttributes = (make: Make): void => {
  const start = Effect.gen(function* () {
    let sec = 1000
    const backend = yield* make({ clock: () => ({ sec: ++sec, nsec: 7 }), mode: 0o777 })
    return makeKernel(backend)
  })
  const user = { uid: 1000, gid: 1000, groups: [1000, 2000] }

  describe("attributes", () => {
    it.effect("keep times before 1970 and after 2106", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const { nodeid } = yield* kernel.create({})
        const atime = { sec: -5_000_000_000, nsec: 999_999_999 }
        const mtime = { sec: 9_000_000_000, nsec: 1 }
        const before = yield* kernel.getattr(nodeid)
        yield* kernel.setattr({ nodeid, valid: FATTR_ATIME | FATTR_MTIME, atime, mtime })
        const after = yield* kernel.getattr(nodeid)
        assert.deepStrictEqual([after.atime, after.mtime], [atime, mtime])
        assert.isTrue(after.ctime.sec > before.ctime.sec)
        assert.deepStrictEqual((yield* kernel.statx(nodeid)).stat.btime, before.ctime)
      })
    )

    it.effect("take no time with a second or more of nanoseconds, which no later reply could hold", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const { nodeid } = yield* kernel.create({})
        for (const valid of [FATTR_ATIME, FATTR_MTIME]) {
          const time = { sec: 1, nsec: 1_000_000_000 }
          assert.strictEqual(yield* outcome(kernel.setattr({ nodeid, valid, atime: time, mtime: time })), "EINVAL")
        }
      })
    )

    it.effect("change their times only where they must", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const { nodeid } = yield* kernel.create({})
        const changes = (act: Effect.Effect<unknown, unknown>) =>
          Effect.gen(function* () {
            const before = yield* kernel.getattr(nodeid)
            yield* act
            const after = yield* kernel.getattr(nodeid)
            return (["atime", "mtime", "ctime"] as const)
              .filter((time) => after[time].sec !== before[time].sec)
              .join(" ")
          })
        assert.strictEqual(yield* changes(kernel.write(nodeid, 0, bytes("x"))), "mtime ctime")
        assert.strictEqual(yield* changes(kernel.write(nodeid, 0, bytes(""))), "")
        assert.strictEqual(yield* changes(kernel.read(nodeid, 0, 1, O_NOATIME)), "")
        assert.strictEqual(yield* changes(kernel.read(nodeid, 0, 1)), "atime")
        assert.strictEqual(yield* changes(kernel.read(nodeid, 0, 1)), "")
        assert.strictEqual(yield* changes(kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 1 })), "mtime ctime")
        assert.strictEqual(yield* changes(kernel.setattr({ nodeid, valid: FATTR_MODE, mode: 0o600 })), "ctime")
        assert.strictEqual(yield* changes(kernel.setattr({ nodeid, valid: FATTR_UID, newUid: 5 })), "ctime")
        assert.strictEqual(yield* changes(kernel.setattr({ nodeid, valid: 0 })), "ctime")
        assert.strictEqual(
          yield* changes(kernel.setattr({ nodeid, valid: FATTR_MTIME | FATTR_MTIME_NOW })),
          "mtime ctime"
        )
        assert.strictEqual(yield* changes(kernel.create({ flags: O_TRUNC })), "mtime ctime")
        assert.strictEqual(yield* changes(kernel.setxattr(nodeid, "user.a", bytes("1"))), "ctime")
        assert.strictEqual(yield* changes(outcome(kernel.setxattr(nodeid, "user.a", bytes("1"), XATTR_CREATE))), "")
        assert.strictEqual(yield* changes(outcome(kernel.link(nodeid, rootNode, "file"))), "")
        assert.strictEqual(yield* changes(kernel.rename(rootNode, "file", rootNode, "other")), "ctime")
        assert.strictEqual(yield* changes(kernel.unlink(rootNode, "other")), "ctime")
      })
    )

    it.effect("lose set-user-ID and set-group-ID when written, truncated or given away", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const mode = (bits: number, act: (nodeid: number | bigint) => Effect.Effect<unknown, unknown>) =>
          Effect.gen(function* () {
            const { nodeid } = yield* kernel.create({})
            yield* kernel.setattr({ nodeid, valid: FATTR_MODE, mode: bits })
            yield* act(nodeid)
            const attr = yield* kernel.getattr(nodeid)
            yield* kernel.unlink(rootNode, "file")
            return attr.mode & 0o7777
          })
        const byUser = { ...user }
        assert.strictEqual(yield* mode(0o6755, (nodeid) => kernel.write(nodeid, 0, bytes("x"))), 0o6755)
        assert.strictEqual(
          yield* mode(0o6755, (nodeid) => kernel.write(nodeid, 0, bytes("x"), { writeFlags: FUSE_WRITE_KILL_SUIDGID })),
          0o755
        )
        assert.strictEqual(yield* mode(0o6755, (nodeid) => kernel.write(nodeid, 0, bytes("x"), {}, byUser)), 0o755)
        assert.strictEqual(
          yield* mode(0o6745, (nodeid) => kernel.write(nodeid, 0, bytes("x"), {}, byUser)),
          0o745,
          "no member of the group"
        )
        assert.strictEqual(
          yield* mode(0o6745, (nodeid) => kernel.write(nodeid, 0, bytes("x"), {}, { ...user, groups: [0] })),
          0o2745,
          "a member"
        )
        assert.strictEqual(
          yield* mode(0o4755, (nodeid) => kernel.setattr({ nodeid, valid: FATTR_SIZE | FATTR_KILL_SUIDGID })),
          0o755
        )
        assert.strictEqual(yield* mode(0o4755, (nodeid) => kernel.setattr({ nodeid, valid: FATTR_SIZE })), 0o4755)
        assert.strictEqual(
          yield* mode(0o6755, () => kernel.create({ flags: O_TRUNC, openFlags: FUSE_OPEN_KILL_SUIDGID })),
          0o755
        )
        assert.strictEqual(
          yield* mode(0o6755, (nodeid) => kernel.setattr({ nodeid, valid: FATTR_UID, newUid: 7 })),
          0o755
        )
        assert.strictEqual(yield* mode(0o6755, (nodeid) => kernel.setattr({ nodeid, valid: 0 })), 0o755)
        assert.strictEqual(
          yield* mode(0o2745, (nodeid) => kernel.setattr({ nodeid, valid: FATTR_GID, newGid: 7 })),
          0o2745
        )
        const dir = yield* kernel.mkdir({})
        yield* kernel.setattr({ nodeid: dir.nodeid, valid: FATTR_MODE, mode: 0o6755 })
        yield* kernel.setattr({ nodeid: dir.nodeid, valid: FATTR_UID, newUid: 7 })
        assert.strictEqual((yield* kernel.getattr(dir.nodeid)).mode & 0o7777, 0o6755)
      })
    )

    it.effect("give set-group-ID only to members of the group, and inherit it from the directory", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const chmod = (gid: number) =>
          Effect.gen(function* () {
            const { nodeid } = yield* kernel.create({}, user)
            yield* kernel.setattr({ nodeid, valid: FATTR_GID, newGid: gid })
            yield* kernel.setattr({ nodeid, valid: FATTR_MODE, mode: 0o2755 }, user)
            yield* kernel.unlink(rootNode, "file")
            return (yield* kernel.getattr(nodeid)).mode & 0o7777
          })
        assert.strictEqual(yield* chmod(2000), 0o2755)
        assert.strictEqual(yield* chmod(3000), 0o755)
        const dir = (yield* kernel.mkdir({})).nodeid
        yield* kernel.setattr({ nodeid: dir, valid: FATTR_GID | FATTR_MODE, newGid: 3000, mode: 0o2777 })
        const made = yield* kernel.getattr((yield* kernel.mkdir({ nodeid: dir, name: "d" }, user)).nodeid)
        assert.deepStrictEqual([made.uid, made.gid, made.mode & 0o7777], [1000, 3000, 0o2755])
        const file = yield* kernel.getattr(
          (yield* kernel.create({ nodeid: dir, name: "f", mode: 0o2775 }, user)).nodeid
        )
        assert.deepStrictEqual([file.gid, file.mode & 0o7777], [3000, 0o775])
      })
    )
  })

  describe("extended attributes", () => {
    it.effect("are created, replaced, listed, removed", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const { nodeid } = yield* kernel.create({})
        const value = bytes("one")
        yield* kernel.setxattr(nodeid, "user.a", value, XATTR_CREATE)
        value.fill(0)
        assert.strictEqual(yield* outcome(kernel.setxattr(nodeid, "user.a", value, XATTR_CREATE)), "EEXIST")
        assert.strictEqual(yield* outcome(kernel.setxattr(nodeid, "user.b", value, XATTR_REPLACE)), "ENODATA")
        assert.deepStrictEqual(yield* kernel.getxattr(nodeid, "user.a"), bytes("one"))
        assert.deepStrictEqual(yield* kernel.getxattr(nodeid, "user.a", 0), { size: 3 })
        assert.strictEqual(yield* outcome(kernel.getxattr(nodeid, "user.a", 2)), "ERANGE")
        yield* kernel.setxattr(nodeid, "trusted.t", bytes(""))
        assert.deepStrictEqual(yield* kernel.listxattr(nodeid, 0), { size: 17 })
        assert.strictEqual(yield* outcome(kernel.listxattr(nodeid, 16)), "ERANGE")
        assert.strictEqual(String(yield* kernel.listxattr(nodeid)), "user.a\0trusted.t\0")
        assert.strictEqual(String(yield* kernel.listxattr(nodeid, 65536, user)), "user.a\0")
        assert.strictEqual(yield* outcome(kernel.getxattr(nodeid, "trusted.t", 9, user)), "ENODATA")
        yield* kernel.removexattr(nodeid, "user.a")
        assert.strictEqual(yield* outcome(kernel.removexattr(nodeid, "user.a")), "ENODATA")
        for (const name of ["system.posix_acl_access", "other", "none.x"]) {
          assert.strictEqual(yield* outcome(kernel.setxattr(nodeid, name, bytes("x"))), "ENOTSUP")
          assert.strictEqual(yield* outcome(kernel.getxattr(nodeid, name)), "ENOTSUP")
        }
        assert.strictEqual(yield* outcome(kernel.setxattr(nodeid, "user.", bytes("x"))), "EINVAL")
        assert.strictEqual(yield* outcome(kernel.setxattr(nodeid, "user.x", new Uint8Array(65537))), "E2BIG")
      })
    )

    it.effect("of capabilities go when the file changes", () =>
      Effect.gen(function* () {
        const kernel = yield* start
        const { nodeid } = yield* kernel.create({})
        for (const act of [
          kernel.write(nodeid, 0, bytes("x")),
          kernel.setattr({ nodeid, valid: FATTR_SIZE }),
          kernel.setattr({ nodeid, valid: FATTR_UID, newUid: 4 })
        ]) {
          yield* kernel.setxattr(nodeid, "security.capability", bytes("c"))
          yield* act
          assert.strictEqual(yield* outcome(kernel.getxattr(nodeid, "security.capability")), "ENODATA")
        }
      })
    )
  })
}
