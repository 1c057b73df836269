/** Limits on what runs at once, what an operation knows of its caller, options that are wrong. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

const until = (condition: () => boolean) => Effect.repeat(Effect.yieldNow, { until: condition })
const write = (text: string, offset = 0) =>
  ({
    op: "write",
    nodeid: 2,
    fh: 0,
    offset,
    size: text.length,
    writeFlags: 0,
    lockOwner: 0,
    flags: 0,
    data: Buffer.from(text)
  }) as const
/** No process has this id: PID_MAX_LIMIT is 2^22. */
const gone = 2 ** 22 + 1
const read = { op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 } as const
const lock = { nodeid: 2, fh: 0, owner: 1, lk: { start: 0, end: 10, type: 1, pid: 1 }, lkFlags: 0 } as const

/** WRITEs run until their gate opens. */
const gated = () => {
  const begun: Array<string> = []
  const gates = new Map<string, Deferred.Deferred<void>>()
  const backend: Backend = {
    write: ({ data }) =>
      Effect.suspend(() => {
        const text = Buffer.from(data).toString()
        begun.push(text)
        const gate = Deferred.makeUnsafe<void>()
        gates.set(text, gate)
        return Effect.as(Deferred.await(gate), text.length)
      }),
    setlk: () => Effect.void,
    read: () => Effect.never
  }
  return {
    backend,
    begun,
    open: (text: string) => Deferred.succeed(gates.get(text) ?? Deferred.makeUnsafe<void>(), undefined)
  }
}

describe("limits, over a socketpair", () => {
  it.live("no more than maxInFlight run; the others wait their turn, and an unlock does not", () =>
    Effect.gen(function* () {
      const { backend, begun, open } = gated()
      const { kernel, session } = yield* FakeKernel.serve(backend, { maxInFlight: 2 })
      yield* kernel.init()
      const uniques = yield* Effect.forEach(["a", "b", "c", "d"], (text) => kernel.send(write(text)))
      yield* until(() => session.connection.inFlight.size === 4)
      assert.deepStrictEqual(begun, ["a", "b"])
      yield* kernel.call({ op: "setlk", ...lock })
      yield* open("b")
      yield* until(() => begun.length === 3)
      assert.deepStrictEqual(begun, ["a", "b", "c"])
      yield* open("a")
      yield* open("c")
      yield* until(() => begun.length === 4)
      yield* open("d")
      for (const unique of uniques) assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("no more than maxBytesInFlight of payloads run; one that is larger runs alone", () =>
    Effect.gen(function* () {
      const { backend, begun, open } = gated()
      const { kernel } = yield* FakeKernel.serve(backend, { maxBytesInFlight: 10 })
      yield* kernel.init()
      const texts = ["1234567", "123", "x", "longer than ten"]
      const uniques = yield* Effect.forEach(texts, (text) => kernel.send(write(text)))
      yield* until(() => begun.length === 2)
      for (const text of texts) {
        yield* until(() => begun.includes(text))
        yield* open(text)
      }
      for (const unique of uniques) assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.deepStrictEqual(begun, texts)
    })
  )

  it.live("INTERRUPT takes back a call that waits for its turn", () =>
    Effect.gen(function* () {
      const { backend, begun, open } = gated()
      const { kernel, session } = yield* FakeKernel.serve(
        { ...backend, interruptible: { readdir: "signal" } },
        { maxInFlight: 1 }
      )
      yield* kernel.init()
      const first = yield* kernel.send(write("a"))
      const second = yield* kernel.send({ ...read, pid: gone })
      yield* until(() => session.connection.inFlight.size === 2)
      yield* kernel.interrupt(second)
      assert.strictEqual((yield* kernel.reply(second)).error, 4)
      yield* open("a")
      assert.strictEqual((yield* kernel.reply(first)).error, 0)
      assert.deepStrictEqual(begun, ["a"])
    })
  )
})

describe("the context of a call", () => {
  it.live("tells that the caller was signalled, also to what is not stopped by it", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<void>()
      const { kernel } = yield* FakeKernel.serve({
        mkdir: (_request, context) =>
          Effect.callback<never, never>((resume) => {
            assert.isFalse(context.isInterrupted())
            assert.deepStrictEqual([context.umask, context.uid, context.gid, context.pid], [0o22, 1, 2, 3])
            context.onInterrupt(() => {
              assert.isTrue(context.isInterrupted())
              Deferred.doneUnsafe(told, Effect.void)
              resume(Effect.die("done"))
            })
          })
      })
      yield* kernel.init()
      const unique = yield* kernel.send({ op: "mkdir", name: "a", mode: 0o755, umask: 0o22, uid: 1, gid: 2, pid: 3 })
      yield* kernel.interrupt(unique)
      yield* Deferred.await(told)
      assert.strictEqual((yield* kernel.reply(unique)).error, 5)
    })
  )

  it.live("has the groups that came with the request when the caller cannot be seen, and no others", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const { kernel } = yield* FakeKernel.serve({
        capabilities: { createSuppGroup: true },
        mkdir: (_request, context) => {
          seen.push(context.groups())
          return Errno.EDQUOT
        }
      })
      yield* kernel.init()
      const mkdir = { op: "mkdir", name: "a", mode: 0o755, umask: 0, pid: 0 } as const
      yield* Effect.flip(kernel.call(mkdir))
      yield* Effect.flip(kernel.call({ ...mkdir, extensions: { supplementaryGroups: [4242] } }))
      assert.deepStrictEqual(seen, [[], [4242]])
    })
  )
})

describe("options", () => {
  for (const [options, message] of [
    [{ maxWrite: 100 }, "option maxWrite is 100; it must be a whole number from 4096 to 268431360"],
    [{ readdirplus: "sometimes" }, 'option readdirplus is "sometimes"; it must be "auto" or "always" or "never"'],
    [{ grace: "soon" }, 'option grace is "soon"; it must be a duration, as "5 seconds" or a number of milliseconds'],
    [{ writebackCache: 1 }, "option writebackCache is 1; it must be true or false"],
    [
      { deadline: { raed: { after: 1, errno: 5 } } },
      "option deadline is an object; it must be deadlines by operation; none is called raed"
    ],
    [
      { deadline: { after: 1, errno: 100_000 } },
      "option deadline is an object; it must be { after: a duration, errno: a positive error number }"
    ],
    [{ maxwrite: 4096 }, "there is no option maxwrite; the options are maxWrite"]
  ] as const) {
    it.live(`${JSON.stringify(options)} is refused by name`, () =>
      Effect.gen(function* () {
        // As JavaScript may call it.
        const error = yield* Effect.flip(
          Reflect.apply(FakeKernel.serve, undefined, [{}, options]) as ReturnType<typeof FakeKernel.serve>
        )
        assert.strictEqual(error._tag, "OptionError")
        assert.isTrue(error.message.startsWith(message), error.message)
      })
    )
  }
})
