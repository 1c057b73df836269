/** Whatever a backend answers costs that call an error, and nothing else. */
import { assert, it } from "@effect/vitest"
import { type Request, operationNames } from "@bickford/protocol"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as fc from "fast-check"
import { lock, requests } from "./everyRequest.ts"
import { attr, epoch, file } from "./hello.ts"

/** Not served without shared memory (virtiofs). */
const untested: ReadonlySet<Request["op"]> = new Set(["setupmapping", "removemapping"])

const bug = (): never => {
  throw new Error("a trap")
}
/** Everything that can be done to it throws. */
const trap = new Proxy(() => {}, {
  get: bug,
  has: bug,
  ownKeys: bug,
  getPrototypeOf: bug,
  getOwnPropertyDescriptor: bug
})
/** Stands for the trap where fast-check looks at values. */
const marked = { stands: "for the trap" }
const sprung = (value: unknown): unknown => (value === marked ? trap : value)
const without = (value: object): object => Object.fromEntries(Object.keys(value).map((key) => [key, undefined]))
const transferred = (): Uint8Array => {
  const bytes = new Uint8Array(8)
  bytes.buffer.transfer()
  return bytes
}
class Liar extends Uint8Array {
  override get length(): number {
    return 1
  }
}
const lying = Object.defineProperty(new Uint8Array(3), "length", { get: bug })

const shapes: ReadonlyArray<object> = [
  file,
  { attrValid: epoch, attr: attr(2, 0o100644) },
  { entry: file, open: { fh: 1, openFlags: 0 } },
  { fh: 1, openFlags: 0 },
  { fd: 0, offset: 0, length: 8 },
  { result: 0, data: new Uint8Array(2) },
  { size: 3 },
  lock.lk,
  { blocks: 1, bfree: 1, bavail: 1, files: 1, ffree: 1, bsize: 4096, namelen: 255, frsize: 4096 }
]

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true
  }),
  fc.constantFrom<unknown>(
    Number.NaN,
    -1,
    0.5,
    2 ** 32,
    2 ** 53,
    2n ** 64n,
    -1n,
    Symbol("s"),
    marked,
    bug,
    new Liar(5000),
    lying,
    new Proxy(new Uint8Array(3), {}),
    "\ud800",
    "a/b"
  )
)
/** A good answer with one field that is bad, or that throws, or that changes when it is read again. */
const almostGood: fc.Arbitrary<unknown> = fc
  .tuple(fc.constantFrom(...shapes), fc.nat(20), leaf, fc.nat(2))
  .map(([shape, nth, drawn, how]) => {
    const bad = sprung(drawn)
    const keys = Object.keys(shape)
    const key = keys[nth % keys.length] ?? ""
    const good: unknown = Reflect.get(shape, key)
    let reads = 0
    const get = how === 0 ? undefined : how === 1 ? bug : () => (reads++ % 2 === 0 ? good : bad)
    return Object.defineProperty(
      { ...shape },
      key,
      get === undefined ? { value: bad, enumerable: true } : { get, enumerable: true }
    )
  })
const answers: fc.Arbitrary<unknown> = fc.oneof(
  leaf,
  almostGood,
  fc.constantFrom(...shapes).map(without),
  fc.array(leaf, { maxLength: 3 }),
  fc.array(almostGood, { maxLength: 3 }),
  fc
    .constantFrom(
      () => transferred(),
      () => [new Uint8Array(2), transferred()],
      () => ({ "~effect/Exit": 1 }),
      () => Array.from({ length: 2000 }, () => new Uint8Array(1)),
      () => ({
        *[Symbol.iterator]() {
          yield* [{ ino: 1, off: 1, type: 8, name: "a", entry: file }]
          bug()
        }
      })
    )
    .map((make) => make())
)
const ways: ReadonlyArray<(answer: unknown) => unknown> = [
  (answer) => Exit.succeed(answer),
  (answer) => answer,
  (answer) => Effect.andThen(Effect.yieldNow, Effect.succeed(answer)),
  (answer) => Exit.fail(answer),
  (answer) => Exit.die(answer),
  (answer) => Effect.andThen(Effect.yieldNow, Effect.die(answer)),
  async (answer) => answer,
  (answer) => {
    throw answer
  },
  async (answer) => {
    throw answer
  },
  (answer) => Effect.promise(async () => answer),
  () => new Proxy({}, { get: bug, has: (_, key) => key === "then" })
]

it.live(
  "hostile answers to every operation, in every way to answer: one well-formed reply each, and nothing is restarted",
  () =>
    Effect.gen(function* () {
      assert.sameMembers([...operationNames], [...new Set(requests.map(({ op }) => op)), ...untested])
      let answer: () => unknown = () => undefined
      const backend = Object.fromEntries(requests.map(({ op }) => [op, () => answer()]))
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const [seed = 0] = fc.sample(fc.integer(), 1)
      const drawn = fc.sample(fc.tuple(answers, fc.constantFrom(...ways)), { seed, numRuns: 40 * requests.length })
      for (const [n, [value, way]] of drawn.entries()) {
        const request = requests[n % requests.length]
        if (request === undefined) continue
        answer = () => way(sprung(value))
        const { error, frame } = yield* kernel.reply(yield* kernel.send(request))
        const where = `${request.op}, seed ${seed}, run ${n}`
        assert.isTrue(error >= 0 && error <= 511, where)
        assert.strictEqual(new DataView(frame.buffer, frame.byteOffset).getUint32(0, true), frame.length, where)
      }
      assert.deepStrictEqual(kernel.unexpected(), [])
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.strictEqual((yield* session.supervisor.tree).restarts, 0)
    }).pipe(Effect.provide(Logger.layer([])))
)
