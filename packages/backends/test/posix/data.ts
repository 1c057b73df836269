import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Make } from "./make.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FATTR_SIZE,
  FUSE_WRITE_CACHE,
  O_APPEND,
  SEEK_DATA,
  SEEK_HOLE
} from "../../src/posix/linux.ts"
import { bytes, makeKernel, outcome, rootNode } from "./kernel.ts"

/** The bytes of files, and limits. */
export const testData = (make: Make): void => {
  const kib = (n: number): number => n * 1024
  const filled = (size: number, value = 1): Uint8Array => new Uint8Array(size).fill(value)

  describe("files", () => {
    it.effect("are written, appended to, truncated and grown", () =>
      Effect.gen(function* () {
        const backend = yield* make()
        const kernel = makeKernel(backend)
        const { nodeid } = yield* kernel.create({})
        const source = bytes("hello")
        assert.strictEqual(yield* kernel.write(nodeid, 0, source), 5)
        source.fill(0)
        yield* kernel.write(nodeid, 0, bytes(" world"), { flags: O_APPEND })
        assert.deepStrictEqual(yield* kernel.read(nodeid, 0, 100), bytes("hello world"))
        assert.deepStrictEqual(yield* kernel.read(nodeid, 11, 100), new Uint8Array(0))
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 5 })
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 8 })
        assert.deepStrictEqual(yield* kernel.read(nodeid, 0, 100), bytes("hello\0\0\0"))
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 0 })
        assert.strictEqual((yield* kernel.getattr(nodeid)).size, 0)
        assert.strictEqual(backend.stats().bytes, 0)
        assert.strictEqual(yield* outcome(kernel.read(rootNode, 0, 1)), "EISDIR")
        assert.strictEqual(yield* outcome(kernel.setattr({ nodeid: rootNode, valid: FATTR_SIZE, size: 5 })), "EISDIR")
      })
    )

    it.effect("reach to 8 EiB - 1, and no further", () =>
      Effect.gen(function* () {
        const kernel = makeKernel(yield* make())
        const { nodeid } = yield* kernel.create({})
        const end = 2n ** 63n - 1n
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: end })
        assert.deepStrictEqual(yield* kernel.read(nodeid, end - 2n, 9), filled(2, 0))
        assert.strictEqual(yield* kernel.write(nodeid, end - 2n, bytes("abc")), 2)
        assert.strictEqual(yield* outcome(kernel.write(nodeid, end, bytes("c"))), "EFBIG")
        assert.strictEqual(yield* outcome(kernel.setattr({ nodeid, valid: FATTR_SIZE, size: end + 1n })), "EFBIG")
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, 0, end, 1)), "EFBIG")
        const attr = yield* kernel.getattr(nodeid)
        assert.deepStrictEqual([attr.size, attr.blocks], [end, 8])
        assert.strictEqual(yield* kernel.lseek(nodeid, 5, SEEK_DATA), 2n ** 63n - 4096n)
        assert.strictEqual(yield* kernel.lseek(nodeid, end - 1n, SEEK_HOLE), end)
        assert.strictEqual(yield* outcome(kernel.lseek(nodeid, end, SEEK_DATA)), "ENXIO")
      })
    )

    it.effect(
      "refuse at once what is larger than anything: the size, the offset and the length of every operation",
      () =>
        Effect.gen(function* () {
          const backend = yield* make({ capacity: kib(1024) })
          const kernel = makeKernel(backend)
          const { nodeid } = yield* kernel.create({})
          const other = (yield* kernel.create({ name: "other" })).nodeid
          yield* kernel.write(nodeid, 0, filled(kib(8)))
          const before = yield* kernel.getattr(nodeid)
          const keep = FALLOC_FL_KEEP_SIZE
          const large = [2 ** 40, 2 ** 53 - 1, 2n ** 53n, 60n * 2n ** 50n, 2n ** 62n + 1n, 2n ** 63n - 1n]
          const beyond = [2n ** 63n, 2n ** 64n - 4096n, 2n ** 64n - 1n]
          for (const far of [...large, ...beyond]) {
            const room = far < 2n ** 63n ? "ENOSPC" : "EFBIG"
            for (const mode of [0, keep, FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | keep]) {
              assert.strictEqual(
                yield* outcome(kernel.fallocate(nodeid, mode, 0, far)),
                room,
                `fallocate ${mode} of ${far}`
              )
              // The first block of a file that ends far out; its end may be at an offset that no file has.
              assert.include(
                ["ok", "EFBIG"],
                yield* outcome(kernel.fallocate(other, mode | keep, far, 1)),
                `fallocate ${mode} at ${far}`
              )
            }
            for (const at of [0, kib(4), far]) {
              const punched = yield* outcome(kernel.fallocate(other, FALLOC_FL_PUNCH_HOLE | keep, at, far))
              assert.strictEqual(
                punched,
                BigInt(at) + BigInt(far) < 2n ** 63n ? "ok" : "EFBIG",
                `a hole of ${far} at ${at}`
              )
            }
            assert.strictEqual((yield* kernel.read(nodeid, far, 4096)).length, 0)
            assert.strictEqual(yield* outcome(kernel.lseek(nodeid, far, SEEK_DATA)), "ENXIO")
            assert.strictEqual(yield* outcome(kernel.lseek(nodeid, far, SEEK_HOLE)), "ENXIO")
            assert.strictEqual(yield* kernel.copyFileRange(nodeid, far, other, 0, far), 0)
            if (far >= 2n ** 63n - 1n)
              assert.strictEqual(yield* outcome(kernel.copyFileRange(nodeid, 0, other, far, far)), "EFBIG")
            if (far >= 2n ** 63n - 1n) assert.strictEqual(yield* outcome(kernel.write(nodeid, far, filled(1))), "EFBIG")
            assert.strictEqual(
              yield* outcome(kernel.setattr({ nodeid: other, valid: FATTR_SIZE, size: far })),
              far < 2n ** 63n ? "ok" : "EFBIG"
            )
            if (far > 2 ** 53) assert.deepStrictEqual(yield* kernel.readdir(rootNode, far), [], `listed from ${far}`)
          }
          const after = yield* kernel.getattr(nodeid)
          assert.deepStrictEqual([after.size, after.blocks], [before.size, before.blocks])
        })
    )

    it.effect("have holes where fallocate makes them", () =>
      Effect.gen(function* () {
        const kernel = makeKernel(yield* make())
        const { nodeid } = yield* kernel.create({})
        yield* kernel.write(nodeid, 0, filled(kib(64)))
        yield* kernel.fallocate(nodeid, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kib(8) + 10, kib(16))
        assert.strictEqual((yield* kernel.getattr(nodeid)).blocks, (64 - 12) * 2)
        assert.strictEqual(yield* kernel.lseek(nodeid, 0, SEEK_HOLE), kib(12))
        assert.strictEqual(yield* kernel.lseek(nodeid, kib(12), SEEK_DATA), kib(24))
        const read = yield* kernel.read(nodeid, 0, kib(64))
        assert.strictEqual(
          read.findIndex((byte) => byte === 0),
          kib(8) + 10
        )
        assert.strictEqual(read.indexOf(1, kib(8) + 10), kib(24) + 10)
        yield* kernel.fallocate(nodeid, FALLOC_FL_KEEP_SIZE, kib(64), kib(64))
        assert.deepStrictEqual(
          [(yield* kernel.getattr(nodeid)).size, (yield* kernel.getattr(nodeid)).blocks],
          [kib(64), (128 - 12) * 2]
        )
        yield* kernel.fallocate(nodeid, FALLOC_FL_ZERO_RANGE, kib(60), kib(8))
        assert.strictEqual((yield* kernel.getattr(nodeid)).size, kib(68))
        assert.deepStrictEqual(yield* kernel.read(nodeid, kib(60), kib(16)), filled(kib(8), 0))
        // To the end of the file, a hole takes the last block with it.
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 100 })
        yield* kernel.fallocate(nodeid, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100)
        assert.strictEqual((yield* kernel.getattr(nodeid)).blocks, 0)
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, 0x08, 0, 4096)), "ENOTSUP")
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, 0, 0, 0)), "EINVAL")
      })
    )

    it.effect("are copied with their holes", () =>
      Effect.gen(function* () {
        const kernel = makeKernel(yield* make())
        const a = (yield* kernel.create({ name: "a" })).nodeid
        const b = (yield* kernel.create({ name: "b" })).nodeid
        const size = 2 ** 40
        yield* kernel.write(a, kib(100), filled(kib(200), 3))
        yield* kernel.setattr({ nodeid: a, valid: FATTR_SIZE, size })
        yield* kernel.write(b, 0, filled(kib(500), 9))
        assert.strictEqual(yield* kernel.copyFileRange(a, 0, b, 5, size), size)
        assert.strictEqual((yield* kernel.getattr(b)).size, size + 5)
        const read = yield* kernel.read(b, 0, kib(600))
        const expected = new Uint8Array(kib(600))
        expected.fill(9, 0, 5)
        expected.fill(3, kib(100) + 5, kib(300) + 5)
        assert.isTrue(Buffer.from(expected).equals(read))
        assert.strictEqual(yield* outcome(kernel.copyFileRange(b, 0, b, 10, 20)), "EINVAL")
        assert.strictEqual(yield* kernel.copyFileRange(b, 0, b, 20, 20), 20)
        assert.strictEqual(yield* kernel.copyFileRange(a, size, b, 0, 20), 0)
      })
    )
  })

  describe("limits", () => {
    it.effect("are reached exactly: a write that does not fit writes what does", () =>
      Effect.gen(function* () {
        const backend = yield* make({ capacity: kib(12) + 100 })
        const kernel = makeKernel(backend)
        const { nodeid } = yield* kernel.create({})
        assert.strictEqual(yield* kernel.write(nodeid, 10, filled(kib(64))), kib(12) - 10)
        assert.strictEqual(yield* outcome(kernel.write(nodeid, kib(12), filled(1))), "ENOSPC")
        assert.strictEqual((yield* kernel.getattr(nodeid)).size, kib(12))
        assert.strictEqual(yield* kernel.write(nodeid, 0, filled(kib(12))), kib(12))
        const { bavail, bfree, blocks } = yield* kernel.statfs()
        assert.deepStrictEqual([blocks, bfree, bavail], [3, 0, 0])
        yield* kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 4096 })
        assert.strictEqual((yield* kernel.statfs()).bfree, 2)
      })
    )

    it.effect("leave nothing half done", () =>
      Effect.gen(function* () {
        const backend = yield* make({ capacity: kib(64), maxInodes: 3 })
        const kernel = makeKernel(backend)
        const { nodeid } = yield* kernel.create({})
        yield* kernel.write(nodeid, kib(8), filled(10))
        const snapshot = Effect.gen(function* () {
          return [
            yield* kernel.getattr(nodeid),
            yield* kernel.getattr(rootNode),
            yield* kernel.statfs(),
            backend.stats()
          ]
        })
        const before = yield* snapshot
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, 0, 0, kib(65))), "ENOSPC")
        assert.strictEqual(yield* outcome(kernel.fallocate(nodeid, FALLOC_FL_ZERO_RANGE, 0, 2 ** 50)), "ENOSPC")
        assert.strictEqual(
          yield* outcome(kernel.write(nodeid, 0, filled(kib(65)), { writeFlags: FUSE_WRITE_CACHE })),
          "ENOSPC"
        )
        assert.deepStrictEqual(yield* snapshot, before)
        yield* kernel.mkdir({})
        const full = yield* snapshot
        for (const make of [
          kernel.mkdir({ name: "x" }),
          kernel.create({ name: "x" }),
          kernel.symlink({ name: "x" }),
          kernel.mknod({ name: "x" }),
          kernel.tmpfile({})
        ]) {
          assert.strictEqual(yield* outcome(make), "ENOSPC")
        }
        assert.deepStrictEqual(yield* snapshot, full)
      })
    )

    it.effect("of a user are EDQUOT, and move with the owner", () =>
      Effect.gen(function* () {
        const backend = yield* make({ capacity: kib(1024), userQuota: { bytes: kib(8), inodes: 2 }, mode: 0o777 })
        const user = { uid: 1000, gid: 1000 }
        const kernel = makeKernel(backend, user)
        const { nodeid } = yield* kernel.create({})
        assert.strictEqual(yield* kernel.write(nodeid, 0, filled(kib(9))), kib(8))
        assert.strictEqual(yield* outcome(kernel.write(nodeid, kib(8), filled(1))), "EDQUOT")
        yield* kernel.create({ name: "second" })
        assert.strictEqual(yield* outcome(kernel.create({ name: "third" })), "EDQUOT")
        const asRoot = makeKernel(backend)
        const big = (yield* asRoot.create({ name: "big" })).nodeid
        assert.strictEqual(yield* asRoot.write(big, 0, filled(kib(9))), kib(9))
        assert.strictEqual(yield* outcome(asRoot.setattr({ nodeid: big, valid: 2, newUid: 1000 })), "EDQUOT")
        yield* asRoot.setattr({ nodeid, valid: 2, newUid: 0 })
        assert.strictEqual(yield* outcome(kernel.create({ name: "third" })), "ok")
      })
    )
  })
}
