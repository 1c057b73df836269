/** Calls of a live session, with their paths. */
import { assert, describe, it } from "@effect/vitest"
import {
  type AnsweredCall,
  type Backend,
  type CallFilter,
  CallPaths,
  Errno,
  type Session,
  watchCalls
} from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import { memory } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { afterEach, vi } from "vitest"

/** The calls that a filter lets through while `use` runs. */
const watched = <E, R>(session: Session.Session, filter: CallFilter, use: Effect.Effect<unknown, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const calls: Array<AnsweredCall> = []
      let missed = 0
      yield* watchCalls(session.connection, filter, {
        answered: (call) => calls.push(call),
        missed: (count) => {
          missed += count
        }
      })
      yield* use
      return { calls, missed }
    })
  )

const made = { mode: 0o100_644, umask: 0, rdev: 0 } as const

describe("watched calls", () => {
  it.live("have the paths of what they are about, through renames, and of what was known before", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      // Nobody watched: its path is asked of the backend.
      const old = yield* kernel.call({ op: "mkdir", name: "old", mode: 0o755, umask: 0 })
      const { calls } = yield* watched(
        session,
        {},
        Effect.gen(function* () {
          const entry = yield* kernel.call({ op: "mknod", nodeid: old.nodeid, name: "file", ...made })
          yield* kernel.call({ op: "rename", name: "old", newdir: 1, newname: "new", flags: 0 })
          yield* kernel.call({ op: "getattr", nodeid: entry.nodeid, getattrFlags: 0, fh: 0 })
          yield* kernel.call({ op: "link", oldnodeid: entry.nodeid, newname: "second" })
          yield* Effect.flip(kernel.call({ op: "unlink", nodeid: old.nodeid, name: "absent" }))
          yield* kernel.call({ op: "unlink", nodeid: old.nodeid, name: "file" })
          yield* kernel.call({ op: "getattr", nodeid: entry.nodeid, getattrFlags: 0, fh: 0 })
        })
      )
      assert.deepStrictEqual(
        calls.map(({ error, newPath, opcode, path }) => [opcode, path, newPath, error]),
        [
          ["MKNOD", "/old/file", undefined, undefined],
          ["RENAME", "/old", "/new", undefined],
          ["GETATTR", "/new/file", undefined, undefined],
          ["LINK", "/new/file", "/second", undefined],
          ["UNLINK", "/new/absent", undefined, "ENOENT"],
          ["UNLINK", "/new/file", undefined, undefined],
          ["GETATTR", "/second", undefined, undefined]
        ]
      )
      assert.isTrue(calls.every(({ microseconds }) => microseconds >= 0))
    })
  )

  it.live("are those that all conditions are true of", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      const use = Effect.gen(function* () {
        yield* Effect.ignore(kernel.call({ op: "lookup", name: "absent" }))
        yield* Effect.ignore(kernel.call({ op: "mkdir", name: "made", mode: 0o755, umask: 0 }))
        yield* Effect.ignore(kernel.call({ op: "rmdir", name: "made" }))
      })
      const opcodes = (filter: CallFilter) =>
        Effect.map(watched(session, filter, use), ({ calls }) => calls.map(({ opcode }) => opcode))
      assert.deepStrictEqual(yield* opcodes({}), ["LOOKUP", "MKDIR", "RMDIR"])
      assert.deepStrictEqual(yield* opcodes({ opcodes: ["MKDIR", "LOOKUP"] }), ["LOOKUP", "MKDIR"])
      assert.deepStrictEqual(yield* opcodes({ path: "mad" }), ["MKDIR", "RMDIR"])
      assert.deepStrictEqual(yield* opcodes({ path: "mad", opcodes: ["RMDIR"] }), ["RMDIR"])
      assert.deepStrictEqual(yield* opcodes({ error: "ENOENT" }), ["LOOKUP"])
      assert.deepStrictEqual(yield* opcodes({ error: "any" }), ["LOOKUP"])
      assert.deepStrictEqual(yield* opcodes({ error: "EIO" }), [])
      assert.deepStrictEqual(yield* opcodes({ pid: 999_999 }), [])
      assert.deepStrictEqual(yield* opcodes({ microseconds: 60_000_000 }), [])
    })
  )

  it.live("of a name that is no UTF-8 are marked, also when the answer comes later", () =>
    Effect.gen(function* () {
      const backend: Backend = { lookup: () => Effect.andThen(Effect.yieldNow, Errno.ENOENT) }
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const look = Effect.flip(kernel.call({ op: "lookup", name: Buffer.from([0x61, 0xff]) }))
      const { calls } = yield* watched(session, {}, look)
      assert.strictEqual(calls[0]?.path, "bytes:/a\xff")
    })
  )

  it.live("beyond 2,000 in a second are counted", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      const look = Effect.ignore(kernel.call({ op: "lookup", name: "absent" }))
      const { calls, missed } = yield* watched(session, {}, Effect.repeat(look, { times: 2499 }))
      assert.strictEqual(calls.length + missed, 2500)
      assert.isAtLeast(calls.length, 2000)
    })
  )

  it.live("within a share of the time are looked at, the others counted; names are learnt all the same", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      const made = yield* kernel.call({ op: "mkdir", name: "a", mode: 0o755, umask: 0 })
      const look = Effect.ignore(kernel.call({ op: "lookup", name: "absent" }))
      const counted = { calls: 0, missed: 0 }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const paths: Array<string | undefined> = []
          yield* watchCalls(
            session.connection,
            { share: 0.0001 },
            {
              answered: ({ path }) => {
                counted.calls++
                paths.push(path)
              },
              missed: (count) => {
                counted.missed += count
              }
            }
          )
          yield* Effect.repeat(look, { times: 499 })
          assert.strictEqual(paths[0], "/absent")
          yield* kernel.call({ op: "rename", name: "a", newdir: 1, newname: "b", flags: 0 })
          yield* Effect.repeat(kernel.call({ op: "getattr", nodeid: made.nodeid, getattrFlags: 0, fh: 0 }), {
            until: () => paths.at(-1) !== "/absent"
          })
          assert.strictEqual(paths.at(-1), "/b")
          yield* Effect.repeat(Effect.sleep(10), { until: () => counted.missed > 0 })
        })
      )
      assert.isBelow(counted.calls, 500)
      assert.isAtLeast(counted.calls, 2)
    })
  )

  it.live("cost no more of it where the machine lets others run meanwhile", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      const nothing = new Int32Array(new SharedArrayBuffer(4))
      let [answered, renewals] = [0, 0]
      const filter = { share: 0.01 }
      const look = Effect.ignore(kernel.call({ op: "lookup", name: "absent" }))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* watchCalls(session.connection, filter, {
            answered: () => {
              if (answered++ === 0) Atomics.wait(nothing, 0, 0, 200)
            },
            missed: () => {
              renewals++
            }
          })
          yield* Effect.repeat(Effect.andThen(look, Effect.sleep(5)), { until: () => answered === 2 })
        })
      )
      assert.isAtMost(renewals, 5)
    })
  )

  it.live("of one operation cost no share of the time for the others", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(memory())
      yield* kernel.init()
      const { calls, missed } = yield* watched(
        session,
        { share: 0.0001, opcodes: ["MKDIR"] },
        Effect.gen(function* () {
          yield* Effect.repeat(Effect.ignore(kernel.call({ op: "lookup", name: "absent" })), { times: 499 })
          yield* kernel.call({ op: "mkdir", name: "made", mode: 0o755, umask: 0 })
        })
      )
      assert.deepStrictEqual([calls.map(({ path }) => path), missed], [["/made"], 0])
    })
  )
})

it("what is asked of a backend is asked once, until something is renamed", () => {
  const asked: Array<number> = []
  const paths = new CallPaths((nodeid) => {
    asked.push(Number(nodeid))
    return `/node${nodeid}`
  })
  assert.deepStrictEqual([paths.pathOf(5), paths.pathOf(5), paths.pathOf(1)], ["/node5", "/node5", "/"])
  assert.deepStrictEqual(asked, [5])
  paths.enter(6, 5, "file")
  assert.strictEqual(paths.pathOf(6), "/node5/file")
  paths.forget(6)
  assert.strictEqual(paths.pathOf(6), "/node6")
})

describe("a backend is asked for paths", () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const asked = (ask: () => void): ReadonlyArray<unknown> => {
    vi.useFakeTimers({ toFake: ["performance"] })
    const paths = new CallPaths((nodeid) => {
      ask()
      return `/node${nodeid}`
    })
    const first = [paths.pathOf(5), paths.pathOf(6)]
    vi.advanceTimersByTime(1000)
    return [...first, paths.pathOf(6)]
  }

  it("again in the next second when it used much of the processor in this one", () => {
    const found = asked(() => {
      const { system, user } = process.cpuUsage()
      for (let used = 0; used < 25_000;) {
        const now = process.cpuUsage()
        used = now.system + now.user - system - user
      }
    })
    assert.deepStrictEqual(found, ["/node5", undefined, "/node6"])
  })

  it("though the machine let others run meanwhile", () => {
    const nothing = new Int32Array(new SharedArrayBuffer(4))
    const found = asked(() => Atomics.wait(nothing, 0, 0, 50))
    assert.deepStrictEqual(found, ["/node5", "/node6", "/node6"])
  })
})
