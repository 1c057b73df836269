/** Operations that are `async` functions. */
import { assert, describe, it } from "@effect/vitest"
import type { AsyncBackend } from "@bickford/session"
import { Errno } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import { readOnly, withLog, withOwner } from "bickford"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readFile } from "node:fs/promises"
import { attr, epoch, file } from "./hello.ts"

const read = { op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 } as const

const asynchronous = (more: Partial<AsyncBackend> = {}): AsyncBackend => ({
  lookup: async ({ name }) => {
    if (name !== "hello") throw Object.assign(new Error("no such row"), { code: "ENOENT" })
    return file
  },
  getattr: async () => ({ attrValid: epoch, attr: attr(1, 0o40755) }),
  read: async () => Buffer.from("hello"),
  ...more
})

/** Rejects once its signal is aborted, as `fetch` does. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }))

describe("promises, over a socketpair", () => {
  it.live("that lead to others without end are EIO, and others are answered", () =>
    Effect.gen(function* () {
      const endless: PromiseLike<never> = new Proxy(Object.create(Object.prototype), {
        has: (_, key) => key === "then",
        get: (_, key) => (key === "then" ? (fulfilled: (value: unknown) => void) => fulfilled(endless) : undefined)
      })
      const { kernel } = yield* FakeKernel.serve(asynchronous({ readlink: () => endless }))
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "readlink", nodeid: 2 })))._tag, "EIO")
      assert.strictEqual((yield* kernel.call({ op: "lookup", name: "hello" })).nodeid, 2)
    })
  )

  it.live("are answers; what they reject with is the errno that it carries, else EIO, and ends nothing", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(
        asynchronous({
          statfs: async () => {
            throw new Error("my database is away")
          },
          readlink: async () => String(await readFile("/none/such")),
          open: async () => {
            throw Errno.EACCES
          },
          access: () => {
            throw Object.assign(new Error("as node:fs does, at once"), { code: "EPERM" })
          },
          getxattr: async () => {
            throw Object.assign(new Error("its name in another system"), { code: "EWOULDBLOCK" })
          },
          listxattr: () => Effect.tryPromise({ try: () => readFile("/none/such"), catch: (error) => error }),
          forget: async () => {
            throw new Error("nobody waits for this one")
          }
        })
      )
      yield* kernel.init()
      const errorOf = (request: FakeKernel.RequestInput) =>
        Effect.flatMap(kernel.send(request), (unique) => Effect.map(kernel.reply(unique), ({ error }) => error))
      assert.strictEqual((yield* kernel.call({ op: "lookup", name: "hello" })).nodeid, 2)
      assert.deepStrictEqual(yield* kernel.call(read), new Uint8Array(Buffer.from("hello")))
      assert.strictEqual(yield* errorOf({ op: "lookup", name: "absent" }), 2)
      assert.strictEqual(yield* errorOf({ op: "statfs" }), 5)
      assert.strictEqual(yield* errorOf({ op: "readlink", nodeid: 2 }), 2)
      assert.strictEqual(yield* errorOf({ op: "open", nodeid: 2, flags: 0, openFlags: 0 }), 13)
      assert.strictEqual(yield* errorOf({ op: "access", mask: 4 }), 1)
      assert.strictEqual(yield* errorOf({ op: "getxattr", name: "user.a", size: 10 }), 11)
      assert.strictEqual(yield* errorOf({ op: "listxattr", size: 10 }), 2)
      assert.strictEqual(session.connection.counters.defects, 1)
      yield* kernel.forget(2, 1)
      yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
      yield* Effect.repeat(Effect.yieldNow, { until: () => session.connection.counters.defects === 2 })
      assert.strictEqual((yield* session.supervisor.tree).restarts, 0)
    })
  )

  it.live("hooks may be promises too", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const { kernel, session } = yield* FakeKernel.serve(
        asynchronous({
          init: async () => void said.push("init"),
          destroy: async () => void said.push("destroy")
        })
      )
      yield* kernel.init()
      yield* kernel.close
      yield* session.awaitEnd
      assert.deepStrictEqual(said, ["init", "destroy"])
    })
  )

  it.live("combinators take them", () =>
    Effect.gen(function* () {
      const outcomes: Array<string> = []
      const { kernel } = yield* FakeKernel.serve(
        readOnly(
          withOwner(
            withLog(asynchronous(), ({ outcome }) => outcomes.push(outcome)),
            { uid: 7 }
          )
        )
      )
      yield* kernel.init()
      assert.strictEqual((yield* kernel.call({ op: "lookup", name: "hello" })).attr.uid, 7)
      yield* Effect.flip(kernel.call({ op: "lookup", name: "absent" }))
      assert.deepStrictEqual(outcomes, ["ok", "ENOENT"])
    })
  )

  const stoppedBy = (backend: Partial<AsyncBackend>, options: Parameters<typeof FakeKernel.serve>[1] = {}) =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<AbortSignal>()
      const served = yield* FakeKernel.serve(
        asynchronous({
          ...backend,
          read: (_request, { signal }) => {
            Deferred.doneUnsafe(asked, Effect.succeed(signal))
            return aborted(signal)
          }
        }),
        options
      )
      yield* served.kernel.init()
      const unique = yield* served.kernel.send(read)
      return { ...served, unique, signal: yield* Deferred.await(asked) }
    })

  it.live("their signal is aborted by an INTERRUPT that stops the operation", () =>
    Effect.gen(function* () {
      const { kernel, session, signal, unique } = yield* stoppedBy({ interruptible: { read: "signal" } })
      assert.isFalse(signal.aborted)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      assert.isTrue(signal.aborted)
      assert.strictEqual(session.connection.counters.defects, 0)
    })
  )

  it.live("their signal is aborted by a deadline", () =>
    Effect.gen(function* () {
      const { kernel, signal, unique } = yield* stoppedBy({}, { deadline: { read: { after: 1, errno: 110 } } })
      assert.strictEqual((yield* kernel.reply(unique)).error, 110)
      assert.isTrue(signal.aborted)
    })
  )

  it.live("their signal is aborted by the end of the mount", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { signal } = yield* Scope.provide(stoppedBy({}, { drain: 1 }), scope)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(signal.aborted)
    })
  )

  it.live(
    "an Effect that listens to its signal alone is stopped by it, and answers as if it had been interrupted",
    () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const { kernel, session } = yield* FakeKernel.serve({
          interruptible: ["read"],
          read: (_request, { signal }) => {
            Deferred.doneUnsafe(asked, Effect.void)
            return Effect.uninterruptible(Effect.promise(() => aborted(signal)))
          }
        })
        yield* kernel.init()
        const unique = yield* kernel.send(read)
        yield* Deferred.await(asked)
        yield* kernel.interrupt(unique)
        assert.strictEqual((yield* kernel.reply(unique)).error, 4)
        assert.strictEqual(session.connection.counters.defects, 0)
      })
  )
})
