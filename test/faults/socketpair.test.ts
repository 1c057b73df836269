/**
 * The failure contract over a socketpair: what fails, what restarts, what the application sees.
 * Each test is one row of the table in docs/failures.md; the causes are real.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno, Session } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import { makeDeviceTransport, socketpair } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const epoch = { sec: 0, nsec: 0 }
const attr = (ino: number, mode: number) => ({
  ino,
  size: 5,
  blocks: 1,
  atime: epoch,
  mtime: epoch,
  ctime: epoch,
  mode,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0
})
const read = { op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 } as const
const write = {
  op: "write",
  nodeid: 2,
  fh: 0,
  offset: 0,
  size: 3,
  writeFlags: 0,
  lockOwner: 0,
  flags: 0,
  data: Buffer.from("abc")
} as const
const getattr = { op: "getattr", getattrFlags: 0, fh: 0 } as const

const root: Backend = {
  getattr: () => Exit.succeed({ attrValid: epoch, attr: attr(1, 0o40755) })
}

/** A backend whose layer fails when told to; counts how often it was acquired. */
const failing = (operations: (instance: number) => Backend) => {
  let instances = 0
  let released = 0
  let fail: (() => void) | undefined
  const source = Effect.acquireRelease(
    Effect.gen(function* () {
      const instance = ++instances
      const broken = yield* Deferred.make<void>()
      fail = () => Deferred.doneUnsafe(broken, Effect.void)
      return {
        ...operations(instance),
        run: Effect.andThen(Deferred.await(broken), Effect.fail("the database is gone"))
      }
    }),
    () => Effect.sync(() => released++)
  )
  return { source, fail: () => fail?.(), instances: () => instances, released: () => released }
}

describe("the failure contract, over a socketpair", () => {
  it.live("an operation that fails with an errno error answers that errno", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve({
        ...root,
        read: () => Errno.EDQUOT,
        write: () => Effect.andThen(Effect.yieldNow, Errno.ENOSPC)
      })
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call(read)))._tag, "EDQUOT")
      assert.strictEqual((yield* Effect.flip(kernel.call(write)))._tag, "ENOSPC")
      assert.strictEqual(session.connection.counters.defects, 0)
    })
  )

  it.live("an operation that outlives its deadline is interrupted; the caller has its errno at once", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const { kernel, session } = yield* FakeKernel.serve(
        { ...root, write: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)) },
        { deadline: { write: { after: "20 millis", errno: 110 } } }
      )
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call(write)))._tag, "ETIMEDOUT")
      yield* Deferred.await(interrupted)
      yield* kernel.call(getattr)
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("a backend that fails is restarted; a call in flight gets EIO once, new calls wait for it", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const backend = failing((instance) => ({
        ...root,
        read: () =>
          instance === 1
            ? Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
            : Exit.succeed(Buffer.from(`instance ${instance}`))
      }))
      const { kernel, session } = yield* FakeKernel.serve(backend.source)
      yield* kernel.init()
      const inFlight = yield* kernel.send(read)
      yield* Deferred.await(started)
      backend.fail()
      assert.strictEqual((yield* kernel.reply(inFlight)).error, 5)
      const data = yield* kernel.call(read)
      assert.strictEqual(Buffer.from(data as Uint8Array).toString(), "instance 2")
      assert.strictEqual(backend.instances(), 2)
      assert.strictEqual(backend.released(), 1)
      assert.isTrue(session.connection.negotiated !== undefined)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("what a backend lends for the data of writes goes with it", () =>
    Effect.gen(function* () {
      const lent = new Uint8Array(3)
      const seen: Array<readonly [instance: number, lent: boolean, text: string]> = []
      const backend = failing((instance) => ({
        ...root,
        init: (_negotiated, connection) =>
          Effect.sync(() => (instance === 1 ? connection.lendMemory(() => lent) : undefined)),
        write: ({ data, size }) => {
          seen.push([instance, data === lent, Buffer.from(data).toString()])
          return Exit.succeed(size)
        }
      }))
      const { kernel } = yield* FakeKernel.serve(backend.source)
      yield* kernel.init()
      const text = (data: string) => kernel.call({ ...write, size: data.length, data: Buffer.from(data) })
      for (const data of ["one", "two", "longer", "six", "ten"]) yield* text(data)
      backend.fail()
      for (const data of ["abc", "def", "ghi"]) yield* text(data)
      assert.deepStrictEqual(seen, [
        [1, false, "one"],
        [1, true, "two"],
        [1, false, "longer"],
        [1, false, "six"],
        [1, true, "ten"],
        [2, false, "abc"],
        [2, false, "def"],
        [2, false, "ghi"]
      ])
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("a durable backend's calls in flight are run again by its next instance", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const backend = failing((instance) => ({
        ...root,
        durable: true,
        read: () =>
          instance === 1
            ? Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
            : Exit.succeed(Buffer.from("again"))
      }))
      const { kernel } = yield* FakeKernel.serve(backend.source)
      yield* kernel.init()
      const inFlight = yield* kernel.send(read)
      yield* Deferred.await(started)
      backend.fail()
      const reply = yield* kernel.reply(inFlight)
      assert.strictEqual(reply.error, 0)
      assert.strictEqual(Buffer.from(reply.frame.subarray(16)).toString(), "again")
    })
  )

  it.live("a backend that stays away longer than the grace period: calls get EIO, until it is back", () =>
    Effect.gen(function* () {
      const back = yield* Deferred.make<void>()
      let instances = 0
      const broken = yield* Deferred.make<void>()
      const source = Effect.suspend(() =>
        ++instances === 1
          ? Effect.succeed<Backend>({ ...root, run: Effect.andThen(Deferred.await(broken), Effect.fail("gone")) })
          : Effect.as(Deferred.await(back), root)
      )
      const { kernel, session } = yield* FakeKernel.serve(source, { grace: "20 millis" })
      yield* kernel.init()
      yield* Deferred.succeed(broken, undefined)
      // Until then the first instance may still answer.
      while (session.connection.backend !== undefined) yield* Effect.sleep(1)
      assert.strictEqual((yield* Effect.flip(kernel.call(getattr)))._tag, "EIO")
      yield* Deferred.succeed(back, undefined)
      yield* Effect.eventually(kernel.call(getattr))
    })
  )

  it.live.each(["dispatcher", "session", "transport"])(
    "the %s is killed: it is restarted, calls in flight run on, INIT is not repeated",
    (id) =>
      Effect.gen(function* () {
        const started = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const { kernel, session } = yield* FakeKernel.serve({
          ...root,
          read: () =>
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Deferred.await(go)),
              Effect.as(Buffer.from("late"))
            )
        })
        yield* kernel.init()
        const inFlight = yield* kernel.send(read)
        yield* Deferred.await(started)
        assert.isTrue(session.supervisor.kill(id))
        yield* kernel.call(getattr)
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual((yield* kernel.reply(inFlight)).error, 0)
        assert.deepStrictEqual(kernel.unexpected(), [])
      })
  )

  it.live("restarts past the intensity end the session, typed, with their history", () =>
    Effect.gen(function* () {
      const { session } = yield* FakeKernel.serve(Effect.succeed({ ...root, run: Effect.fail("broken for good") }), {
        maxRestarts: 2,
        maxSeconds: "1 minute"
      })
      const end = yield* session.awaitEnd
      assert.strictEqual(end.reason, "failed")
    })
  )

  it.live("a backend that takes longer than grace to start: INIT waits for it", () =>
    Effect.gen(function* () {
      const { kernel } = yield* FakeKernel.serve(Effect.delay(Effect.succeed(root), 100), { grace: 10 })
      yield* kernel.init()
      yield* kernel.call(getattr)
    })
  )

  it.live("the connection ends before there is a backend: the session ends", () =>
    Effect.gen(function* () {
      const [kernelEnd, serverEnd] = yield* socketpair({ type: "seqpacket" })
      const kernel = yield* FakeKernel.make(kernelEnd)
      const starting = yield* Effect.forkChild(
        Session.make(yield* makeDeviceTransport(serverEnd), Effect.never, { grace: 10 })
      )
      yield* kernel.close
      const session = yield* Fiber.join(starting)
      assert.strictEqual((yield* session.awaitEnd).reason, "closed")
    })
  )

  it.live("the connection ends while the backend is away: the session ends", () =>
    Effect.gen(function* () {
      let instances = 0
      const source = Effect.suspend(() =>
        instances++ === 0 ? Effect.succeed<Backend>({ ...root, run: Effect.never }) : Effect.never
      )
      const { kernel, session } = yield* FakeKernel.serve(source, { grace: 10 })
      yield* kernel.init()
      yield* kernel.call(getattr)
      session.supervisor.kill("backend")
      yield* Effect.repeat(Effect.yieldNow, { until: () => session.connection.backend === undefined })
      assert.strictEqual((yield* Effect.flip(kernel.call(getattr)))._tag, "EIO")
      yield* kernel.close
      assert.strictEqual((yield* session.awaitEnd).reason, "closed")
    })
  )
})
