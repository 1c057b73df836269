/** The failure contract over a socketpair: what happens to single calls, and the end of the connection. */
import { assert, describe, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { stoppedClock } from "../../packages/supervisor/test/stoppedClock.ts"
import { attr, epoch, file, hello } from "../wire/hello.ts"

describe("calls, over a socketpair", () => {
  it.live("a defect costs that call EIO and nothing else", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(
        hello({
          readlink: () => {
            throw new Error("a bug in a filesystem")
          },
          open: () => Effect.die("another"),
          // A file type of zero would poison the kernel's inode.
          getattr: () => Exit.succeed({ attrValid: epoch, attr: attr(1, 0) })
        })
      )
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "readlink", nodeid: 2 })))._tag, "EIO")
      assert.strictEqual(
        (yield* Effect.flip(kernel.call({ op: "open", nodeid: 2, flags: 0, openFlags: 0 })))._tag,
        "EIO"
      )
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })))._tag, "EIO")
      assert.strictEqual(session.connection.counters.defects, 3)
      yield* kernel.call({ op: "lookup", name: "hello" })
    })
  )

  it.live("an INTERRUPT stops an interruptible operation, runs its finalizers and answers EINTR once", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      let finalized = false
      const { kernel, session } = yield* FakeKernel.serve(
        hello({
          interruptible: ["read"],
          read: () =>
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.ensuring(
                Effect.sync(() => {
                  finalized = true
                })
              )
            )
        })
      )
      yield* kernel.init()
      const unique = yield* kernel.send({
        op: "read",
        nodeid: 2,
        fh: 0,
        offset: 0,
        size: 4096,
        readFlags: 0,
        lockOwner: 0,
        flags: 0
      })
      yield* Deferred.await(started)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      assert.isTrue(finalized)
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("an INTERRUPT leaves a change of the namespace alone", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { kernel } = yield* FakeKernel.serve(
        hello({
          mkdir: () =>
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Deferred.await(go)),
              Effect.as({ ...file, attr: attr(2, 0o40755) })
            )
        })
      )
      yield* kernel.init()
      const unique = yield* kernel.send({ op: "mkdir", name: "d", mode: 0o755, umask: 0 })
      yield* Deferred.await(started)
      yield* kernel.interrupt(unique)
      // Answered after the INTERRUPT, which has therefore been applied.
      yield* kernel.call({ op: "lookup", name: "hello" })
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* kernel.reply(unique)).error, 0)
    })
  )

  it.live("hanging up ends the session: calls in flight are stopped, destroy runs once, the backend is released", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const started = yield* Deferred.make<void>()
      const source = Effect.acquireRelease(
        Effect.succeed(
          hello({
            read: () =>
              Deferred.succeed(started, undefined).pipe(
                Effect.andThen(Effect.never),
                Effect.onInterrupt(() => Effect.sync(() => events.push("read stopped")))
              ),
            destroy: () => Effect.sync(() => events.push("destroy"))
          })
        ),
        () => Effect.sync(() => events.push("released"))
      )
      const { kernel, session } = yield* FakeKernel.serve(source, { drain: 10 })
      yield* kernel.init()
      yield* kernel.send({ op: "read", nodeid: 2, fh: 0, offset: 0, size: 1, readFlags: 0, lockOwner: 0, flags: 0 })
      yield* Deferred.await(started)
      yield* kernel.close
      assert.deepStrictEqual(yield* session.awaitEnd, { reason: "closed" })
      assert.deepStrictEqual(events, ["read stopped", "destroy", "released"])
    })
  )

  it.live("what has no reply and throws is counted and logged, and stops nothing", () =>
    Effect.gen(function* () {
      const bug = () => {
        throw new Error("a bug in a filesystem")
      }
      let destroyed = false
      const started = yield* Deferred.make<void>()
      const { kernel, session } = yield* FakeKernel.serve(
        hello({
          durable: true,
          interruptible: ["read"],
          commit: Effect.void,
          delivered: bug,
          forget: bug,
          read: (_request, context) =>
            Effect.sync(() => context.onInterrupt(bug)).pipe(
              Effect.andThen(Deferred.succeed(started, undefined)),
              Effect.andThen(Effect.never)
            ),
          destroy: () =>
            Effect.sync(() => {
              destroyed = true
            })
        })
      )
      yield* kernel.init()
      for (let round = 0; round < 5; round++) {
        yield* kernel.call({ op: "lookup", name: "hello" })
        yield* kernel.forget(2, 1)
      }
      yield* kernel.call({ op: "lookup", name: "hello" })
      const unique = yield* kernel.send({
        op: "read",
        nodeid: 2,
        fh: 0,
        offset: 0,
        size: 1,
        readFlags: 0,
        lockOwner: 0,
        flags: 0
      })
      yield* Deferred.await(started)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      // Six lookups and the read were delivered, five forgets, one interrupt.
      assert.strictEqual(session.connection.counters.defects, 7 + 5 + 1)
      const tree = yield* session.supervisor.tree
      assert.strictEqual(tree.restarts, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
      yield* kernel.close
      yield* session.awaitEnd
      assert.isTrue(destroyed, "though the last forget threw")
    })
  )

  it.live("closing the session's scope ends it as asked", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { kernel, session } = yield* Scope.provide(FakeKernel.serve(hello()), scope)
      yield* kernel.init()
      const waiting = yield* Effect.forkChild(session.awaitEnd)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(waiting), { reason: "asked" })
    })
  )

  it.live("a deadline is the operation's time, not that in which the server itself was stopped", () =>
    Effect.gen(function* () {
      const answered = Deferred.makeUnsafe<void>()
      // The answer came while the process was stopped, and is there in the event loop's next turn.
      const { provide } = stoppedClock(1, 60_000, () => Deferred.doneUnsafe(answered, Exit.void))
      const { kernel } = yield* provide(
        FakeKernel.serve(hello({ readlink: () => Effect.as(Deferred.await(answered), Buffer.from("there")) }), {
          deadline: { after: 1000, errno: 110 }
        })
      )
      yield* kernel.init()
      assert.strictEqual(String(yield* kernel.call({ op: "readlink", nodeid: 2 })), "there")
    })
  )
})
