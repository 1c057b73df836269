/** Notifications, as a kernel receives them. */
import { assert, describe, it } from "@effect/vitest"
import type { Notification } from "@bickford/protocol"
import type { Backend, Notify } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const until = (condition: () => boolean) => Effect.repeat(Effect.yieldNow, { until: condition })
const read = { op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 } as const

describe("notifications, over a socketpair", () => {
  it.live("each is sent as it was asked for, in order", () =>
    Effect.gen(function* () {
      const {
        kernel,
        session: { notify }
      } = yield* FakeKernel.serve({})
      yield* kernel.init()
      yield* Effect.all([
        notify.poll(0x8000_0000_0000_0001n),
        notify.invalInode(2),
        notify.invalInode(3, -1, 0),
        notify.invalEntry(1, "name"),
        notify.invalEntry(1, Buffer.from([0xff]), { expireOnly: true }),
        notify.delete(1, 2, "gone"),
        notify.store(2, 4096, [Buffer.from("by"), Buffer.from("tes")]),
        notify.resend(),
        notify.incEpoch(),
        notify.prune([2, 3])
      ])
      const expected: ReadonlyArray<Notification> = [
        { notify: "poll", kh: 0x8000_0000_0000_0001n },
        { notify: "invalInode", ino: 2, off: 0, len: 0 },
        { notify: "invalInode", ino: 3, off: -1, len: 0 },
        { notify: "invalEntry", parent: 1, name: "name", flags: 0 },
        { notify: "invalEntry", parent: 1, name: new Uint8Array([0xff]), flags: 1 },
        { notify: "delete", parent: 1, child: 2, name: "gone" },
        { notify: "store", nodeid: 2, offset: 4096, data: new Uint8Array(Buffer.from("bytes")) },
        { notify: "resend" },
        { notify: "incEpoch" },
        { notify: "prune", nodeids: [2, 3] }
      ]
      yield* until(() => kernel.notifications().length === expected.length)
      assert.deepStrictEqual(kernel.notifications(), expected)
    })
  )

  it.live("attributes are dropped before the answer of the operation that asks for it", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      let notify: Notify | undefined
      const { kernel, session } = yield* FakeKernel.serve({
        flush: ({ nodeid }) => {
          notify?.dropAttributes(nodeid)
          return Effect.void
        }
      })
      notify = session.notify
      // Before INIT there is nothing to drop.
      notify.dropAttributes(7)
      yield* kernel.init()
      for (let i = 1; i <= 3; i++) {
        yield* kernel.call({ op: "flush", nodeid: i, fh: 0, flags: 0, lockOwner: 0 })
        seen.push(kernel.notifications().length)
      }
      assert.deepStrictEqual(seen, [1, 2, 3])
      assert.deepStrictEqual(kernel.notifications().at(-1), { notify: "invalInode", ino: 3, off: -1, len: 0 })
    })
  )

  it.live("what the kernel is too old for fails with ENOSYS, and is not sent", () =>
    Effect.gen(function* () {
      const {
        kernel,
        session: { notify }
      } = yield* FakeKernel.serve({})
      assert.strictEqual((yield* Effect.flip(notify.invalInode(2)))._tag, "ENOTCONN", "before INIT")
      yield* kernel.init({ minor: 31, flags2: 0 })
      for (const refused of [
        notify.resend(),
        notify.incEpoch(),
        notify.prune([2]),
        notify.invalEntry(1, "a", { expireOnly: true })
      ]) {
        assert.strictEqual((yield* Effect.flip(refused))._tag, "ENOSYS")
      }
      yield* notify.invalEntry(1, "a")
      yield* until(() => kernel.notifications().length === 1)
    })
  )

  it.live("a retrieval is answered by NOTIFY_REPLY", () =>
    Effect.gen(function* () {
      const {
        kernel,
        session: { notify }
      } = yield* FakeKernel.serve({})
      yield* kernel.init()
      const retrieval = yield* Effect.forkChild(notify.retrieve(2, 8192, 5))
      yield* until(() => kernel.notifications().length === 1)
      const [asked] = kernel.notifications()
      assert.isTrue(asked?.notify === "retrieve" && asked.nodeid === 2 && asked.offset === 8192 && asked.size === 5)
      const unique = asked?.notify === "retrieve" ? asked.notifyUnique : 0
      yield* kernel.send({ op: "notifyReply", unique, nodeid: 2, offset: 8192, size: 5, data: Buffer.from("bytes") })
      assert.strictEqual(Buffer.from(yield* Fiber.join(retrieval)).toString(), "bytes")
    })
  )

  it.live("an operation that notifies goes on once the notification is queued", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<string>()
      let notify: Notify | undefined
      const backend: Backend = {
        init: (_negotiated, connection) =>
          Effect.sync(() => {
            notify = connection.notify
          }),
        read: () =>
          Effect.gen(function* () {
            if (notify === undefined) return yield* Effect.die("no init")
            yield* notify.invalInode(2)
            const retrieval = notify.retrieve(2, 0, 10).pipe(
              Effect.as("retrieved"),
              Effect.catch((error) => Effect.succeed(error._tag))
            )
            yield* Deferred.succeed(told, yield* retrieval)
            return new Uint8Array(1)
          })
      }
      const { kernel } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      yield* kernel.call(read)
      yield* until(() => kernel.notifications().length === 1)
      assert.strictEqual(yield* Deferred.await(told), "EDEADLK")
    })
  )

  it.live("after the end they fail with ENOTCONN", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve({})
      yield* kernel.init()
      yield* kernel.close
      yield* session.awaitEnd
      assert.strictEqual((yield* Effect.flip(session.notify.invalInode(2)))._tag, "ENOTCONN")
    })
  )

  it.live("a retrieval that the connection's end leaves without an answer fails with ENOTCONN", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve({})
      yield* kernel.init()
      const retrieval = yield* Effect.forkChild(session.notify.retrieve(2, 0, 5))
      yield* until(() => kernel.notifications().length === 1)
      yield* kernel.close
      assert.strictEqual((yield* Effect.flip(Fiber.join(retrieval)))._tag, "ENOTCONN")
    })
  )

  it.live("a retrieval is answered also while the backend is away", () =>
    Effect.gen(function* () {
      let instances = 0
      const source = Effect.suspend(() =>
        instances++ === 0 ? Effect.succeed<Backend>({ run: Effect.never }) : Effect.never
      )
      const { kernel, session } = yield* FakeKernel.serve(source, { grace: 10 })
      yield* kernel.init()
      const retrieval = yield* Effect.forkChild(session.notify.retrieve(2, 0, 5))
      yield* until(() => kernel.notifications().length === 1)
      const [asked] = kernel.notifications()
      session.supervisor.kill("backend")
      yield* until(() => session.connection.backend === undefined)
      const unique = asked?.notify === "retrieve" ? asked.notifyUnique : 0
      yield* kernel.send({ op: "notifyReply", unique, nodeid: 2, offset: 0, size: 5, data: Buffer.from("bytes") })
      assert.strictEqual(Buffer.from(yield* Fiber.join(retrieval)).toString(), "bytes")
    })
  )
})
