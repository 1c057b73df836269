import { assert, describe, it } from "@effect/vitest"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { memory } from "../../src/index.ts"
import { F_RDLCK, F_UNLCK, F_WRLCK, FUSE_LK_FLOCK, FUSE_RELEASE_FLOCK_UNLOCK } from "../../src/posix/linux.ts"
import { conflicting, type Lock, withLock } from "../../src/memory/ranges.ts"
import { makeKernel, outcome } from "../posix/kernel.ts"

const size = 24

const request = fc.record({
  owner: fc.integer({ min: 1, max: 3 }),
  start: fc.integer({ min: 0, max: size - 1 }),
  length: fc.integer({ min: 1, max: size }),
  type: fc.constantFrom(F_RDLCK, F_WRLCK, F_UNLCK)
})

describe("locked ranges", () => {
  it("agree with a lock per byte", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
        let held: ReadonlyArray<Lock> = []
        const naive = Array.from({ length: size }, () => new Map<number, number>())
        for (const { length, owner, start, type } of requests) {
          const end = Math.min(size, start + length) - 1
          const lock: Lock = { owner, start, end, type, pid: 0 }
          const cells = naive.slice(start, end + 1)
          const refused =
            type !== F_UNLCK &&
            cells.some((cell) =>
              [...cell].some(([other, kind]) => other !== owner && (kind === F_WRLCK || type === F_WRLCK))
            )
          assert.strictEqual(type !== F_UNLCK && held.some((other) => conflicting(other, lock)), refused)
          if (refused) continue
          held = withLock(held, lock)
          for (const cell of cells)
            if (type === F_UNLCK) cell.delete(owner)
            else cell.set(owner, type)
        }
        const rebuilt = Array.from({ length: size }, () => new Map<number | bigint, number>())
        for (const { end, owner, start, type } of held) {
          for (let n = Number(start); n <= end; n++) {
            assert.isFalse(rebuilt[n]?.has(owner), "an owner's locks overlap")
            rebuilt[n]?.set(owner, type)
          }
          assert.isFalse(
            held.some((other) => other.owner === owner && other.type === type && other.start === Number(end) + 1),
            "not joined"
          )
        }
        assert.deepStrictEqual(
          rebuilt.map((cell) => [...cell].toSorted()),
          naive.map((cell) => [...cell].toSorted())
        )
      }),
      { numRuns: 500 }
    )
  })
})

const range = (start: number, end: number | bigint, type: number) => ({ start, end, type, pid: 1 })
const all = (type: number) => range(0, 0x7fffffffffffffffn, type)

describe("locks", () => {
  it.effect("are refused while in the way, and told of", () =>
    Effect.gen(function* () {
      const backend = memory({ locks: "server" })
      const kernel = makeKernel(backend)
      const { nodeid } = yield* kernel.mknod({})
      yield* kernel.setlk({ nodeid, owner: 1, lk: range(10, 19, F_WRLCK) })
      assert.strictEqual(yield* outcome(kernel.setlk({ nodeid, owner: 2, lk: range(19, 30, F_RDLCK) })), "EAGAIN")
      assert.strictEqual(yield* outcome(kernel.setlk({ nodeid, owner: 2, lk: range(20, 30, F_RDLCK) })), "ok")
      assert.deepStrictEqual(yield* kernel.getlk({ nodeid, owner: 2, lk: all(F_RDLCK) }), range(10, 19, F_WRLCK))
      assert.strictEqual((yield* kernel.getlk({ nodeid, owner: 1, lk: range(0, 19, F_WRLCK) })).type, F_UNLCK)
      yield* kernel.flush({ nodeid, lockOwner: 1 })
      assert.strictEqual((yield* kernel.getlk({ nodeid, owner: 2, lk: all(F_WRLCK) })).type, F_UNLCK)
      yield* kernel.flush({ nodeid, lockOwner: 2 })
      assert.strictEqual(backend.stats().locksHeld, 0)
    })
  )

  it.effect("are waited for in order, and given when the last in the way goes", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(memory({ locks: "server" }))
      const { nodeid } = yield* kernel.mknod({})
      yield* kernel.setlk({ nodeid, owner: 1, lk: all(F_WRLCK) })
      const granted: Array<number> = []
      const wait = (owner: number, type: number) =>
        kernel
          .setlkw({ nodeid, owner, lk: all(type) })
          .pipe(Effect.andThen(Effect.sync(() => granted.push(owner))), Effect.forkChild({ startImmediately: true }))
      const second = yield* wait(2, F_WRLCK)
      const third = yield* wait(3, F_RDLCK)
      const fourth = yield* wait(4, F_RDLCK)
      assert.deepStrictEqual(granted, [])
      yield* kernel.setlk({ nodeid, owner: 1, lk: all(F_UNLCK) })
      yield* Fiber.join(second)
      assert.deepStrictEqual(granted, [2])
      // A write lock that becomes a read lock lets the readers in.
      yield* kernel.setlk({ nodeid, owner: 2, lk: all(F_RDLCK) })
      yield* Fiber.join(third)
      yield* Fiber.join(fourth)
      assert.deepStrictEqual(granted, [2, 3, 4])
    })
  )

  it.effect("leave nothing behind when a wait is interrupted", () =>
    Effect.gen(function* () {
      const backend = memory({ locks: "server" })
      const kernel = makeKernel(backend)
      const { nodeid } = yield* kernel.mknod({})
      yield* kernel.setlk({ nodeid, owner: 1, lk: all(F_WRLCK) })
      const waiting = yield* Effect.forkChild(kernel.setlkw({ nodeid, owner: 2, lk: all(F_WRLCK) }), {
        startImmediately: true
      })
      assert.strictEqual(backend.stats().locksWaiting, 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(backend.stats().locksWaiting, 0)
      yield* kernel.setlk({ nodeid, owner: 1, lk: all(F_UNLCK) })
      assert.strictEqual(backend.stats().locksHeld, 0)
    })
  )

  it.effect("that would wait for each other are refused, over three files and owners", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(memory({ locks: "server" }))
      const files = [
        yield* kernel.mknod({ name: "a" }),
        yield* kernel.mknod({ name: "b" }),
        yield* kernel.mknod({ name: "c" })
      ].map((entry) => entry.nodeid)
      const [a = 0, b = 0, c = 0] = files
      yield* kernel.setlk({ nodeid: a, owner: 1, lk: all(F_WRLCK) })
      yield* kernel.setlk({ nodeid: b, owner: 2, lk: all(F_WRLCK) })
      yield* kernel.setlk({ nodeid: c, owner: 3, lk: all(F_WRLCK) })
      const first = yield* Effect.forkChild(kernel.setlkw({ nodeid: b, owner: 1, lk: all(F_WRLCK) }), {
        startImmediately: true
      })
      const second = yield* Effect.forkChild(kernel.setlkw({ nodeid: c, owner: 2, lk: all(F_WRLCK) }), {
        startImmediately: true
      })
      assert.strictEqual(yield* outcome(kernel.setlkw({ nodeid: a, owner: 3, lk: all(F_RDLCK) })), "EDEADLK")
      yield* kernel.flush({ nodeid: c, lockOwner: 3 })
      yield* Fiber.join(second)
      yield* kernel.flush({ nodeid: b, lockOwner: 2 })
      yield* Fiber.join(first)
    })
  )

  it.effect("of flock are apart from POSIX ones, are lost in a refused conversion, and end with the file", () =>
    Effect.gen(function* () {
      const backend = memory({ locks: "server" })
      const kernel = makeKernel(backend)
      const { nodeid } = yield* kernel.mknod({})
      const flock = (owner: number, type: number) =>
        kernel.setlk({ nodeid, owner, lk: all(type), lkFlags: FUSE_LK_FLOCK })
      yield* kernel.setlk({ nodeid, owner: 9, lk: all(F_WRLCK) })
      yield* flock(1, F_RDLCK)
      yield* flock(2, F_RDLCK)
      assert.strictEqual(yield* outcome(flock(1, F_WRLCK)), "EAGAIN")
      yield* flock(2, F_WRLCK)
      const waiting = yield* Effect.forkChild(
        kernel.setlkw({ nodeid, owner: 1, lk: all(F_WRLCK), lkFlags: FUSE_LK_FLOCK }),
        { startImmediately: true }
      )
      yield* kernel.flush({ nodeid, lockOwner: 2 })
      assert.strictEqual(backend.stats().locksWaiting, 1)
      yield* kernel.release({ nodeid, lockOwner: 2, releaseFlags: FUSE_RELEASE_FLOCK_UNLOCK })
      yield* Fiber.join(waiting)
    })
  )

  it("that are free answer at once", () => {
    const backend = memory({ locks: "server" })
    const header = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1, fh: 0, owner: 1, lkFlags: 0 }
    const context = requestContext()
    const reply = backend.setlkw?.({ op: "setlkw", ...header, lk: all(F_WRLCK) }, context)
    assert.isTrue(Exit.isExit(reply))
  })
})
