/** A random life of a connection: what must hold of its tables holds after every step. */
import { assert, it } from "@effect/vitest"
import { type Backend, memory } from "bickford"
import { brokenInvariants, FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"

const steps = ["create", "lookup", "open", "write", "read", "release", "unlink", "forget", "interrupt", "kill"] as const

/** Operations answer at once, or later, or never until they are stopped. */
const hesitant = (backend: Backend, draw: () => number): Backend => ({
  ...backend,
  read: (request, context) => {
    const answer = backend.read?.(request, context) ?? Effect.die("no read")
    return draw() === 0
      ? Effect.andThen(Effect.never, answer)
      : draw() < 4
        ? Effect.andThen(Effect.yieldNow, answer)
        : answer
  },
  write: (request, context) =>
    Effect.andThen(
      Effect.yieldNow,
      Effect.suspend(() => backend.write?.(request, context) ?? Effect.die("no write"))
    )
})

it.live(
  "counts are never negative, nothing is freed while it is held, every request is in flight until its reply",
  () =>
    Effect.gen(function* () {
      const [seed = 0] = fc.sample(fc.integer(), 1)
      const random = fc.sample(fc.integer({ min: 0, max: 9 }), { seed, numRuns: 20_000 })
      let next = 0
      const draw = (): number => random[next++ % random.length] ?? 0
      const kept = memory()
      const { kernel, session } = yield* FakeKernel.serve(hesitant(kept, draw), {
        maxRestarts: 1_000_000,
        maxInFlight: 4
      })
      const { connection } = session
      yield* kernel.init()

      const lookups = new Map<number | bigint, number>()
      const opened: Array<{ readonly nodeid: number | bigint; readonly fh: number | bigint }> = []
      const reading: Array<number | bigint> = []
      const held = (nodeid: number | bigint): void => void lookups.set(nodeid, (lookups.get(nodeid) ?? 0) + 1)
      const anyNode = (): number | bigint => [...lookups.keys()][draw() % Math.max(1, lookups.size)] ?? 1
      const io = { lockOwner: 0, flags: 0 }

      for (let step = 0; step < 1500; step++) {
        const name = `name${draw()}`
        const file = opened[draw() % Math.max(1, opened.length)]
        switch (steps[draw()]) {
          case "create": {
            const made = yield* Effect.option(
              kernel.call({ op: "create", name, mode: 0o100644, umask: 0, flags: 2, openFlags: 0 })
            )
            if (made._tag === "None") break
            held(made.value.entry.nodeid)
            opened.push({ nodeid: made.value.entry.nodeid, fh: made.value.open.fh })
            break
          }
          case "lookup": {
            const found = yield* Effect.option(kernel.call({ op: "lookup", name }))
            if (found._tag === "Some" && found.value.nodeid !== 0) held(found.value.nodeid)
            break
          }
          case "open": {
            const nodeid = anyNode()
            if (nodeid === 1) break
            const { fh } = yield* kernel.call({ op: "open", nodeid, flags: 2, openFlags: 0 })
            opened.push({ nodeid, fh })
            break
          }
          case "write":
            if (file !== undefined)
              yield* kernel.call({
                op: "write",
                ...file,
                ...io,
                offset: 0,
                size: 3,
                writeFlags: 0,
                data: Buffer.from("abc")
              })
            break
          case "read":
            if (file !== undefined)
              reading.push(yield* kernel.send({ op: "read", ...file, ...io, offset: 0, size: 10, readFlags: 0 }))
            break
          case "release":
            if (file === undefined || reading.length > 0) break
            opened.splice(opened.indexOf(file), 1)
            yield* kernel.call({ op: "release", ...file, flags: 0, releaseFlags: 0, lockOwner: 0 })
            break
          case "unlink":
            yield* Effect.option(kernel.call({ op: "unlink", name }))
            break
          case "forget": {
            const nodeid = anyNode()
            if (nodeid === 1 || opened.some((one) => one.nodeid === nodeid)) break
            const count = lookups.get(nodeid) ?? 0
            const dropped = 1 + (draw() % count)
            yield* kernel.forget(nodeid, dropped)
            if (dropped === count) lookups.delete(nodeid)
            else lookups.set(nodeid, count - dropped)
            break
          }
          case "interrupt":
            for (const unique of reading.splice(0)) {
              yield* kernel.interrupt(unique)
              assert.include([0, 4], (yield* kernel.reply(unique)).error)
            }
            break
          case "kill":
            session.supervisor.kill("dispatcher")
        }
        assert.deepStrictEqual(brokenInvariants(connection, reading), [], `seed ${seed}, step ${step}`)
      }
      for (const unique of reading) {
        yield* kernel.interrupt(unique)
        yield* kernel.reply(unique)
      }
      for (const { fh, nodeid } of opened)
        yield* kernel.call({ op: "release", nodeid, fh, flags: 0, releaseFlags: 0, lockOwner: 0 })
      yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
      assert.deepStrictEqual(
        new Map(connection.nodes.entries()),
        new Map([...lookups].sort(([a], [b]) => Number(a) - Number(b))),
        `seed ${seed}`
      )
      assert.strictEqual(connection.handles.size, 0)
      assert.strictEqual(connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
      for (const [nodeid, count] of lookups) yield* kernel.forget(nodeid, count)
      for (let n = 0; n < 10; n++) yield* Effect.option(kernel.call({ op: "unlink", name: `name${n}` }))
      assert.strictEqual(kept.stats().inodes, 1)
    })
)
