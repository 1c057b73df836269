import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { memory } from "../../src/index.ts"
import { systemClock } from "../../src/posix/clock.ts"
import { testAttributes } from "../posix/attributes.ts"
import { testData } from "../posix/data.ts"
import { testDirectoryNames } from "../posix/directory.ts"
import { makeKernel, rootNode } from "../posix/kernel.ts"
import { checked } from "../posix/make.ts"
import { testNames } from "../posix/namespace.ts"

const make = checked((options) => Effect.sync(() => memory(options)))

testNames(make)
testAttributes(make)
testData(make)
testDirectoryNames(make)

describe("in memory", () => {
  it.effect("a file's number comes back with another generation", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(memory())
      const file = yield* kernel.create({ name: "a" })
      yield* kernel.unlink(rootNode, "a")
      kernel.forget(file.nodeid)
      const other = yield* kernel.create({ name: "b" })
      assert.strictEqual(other.nodeid, file.nodeid)
      assert.notStrictEqual(other.generation, file.generation)
    })
  )

  it.effect("files are always ready", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(memory())
      assert.strictEqual(yield* kernel.poll((yield* kernel.create({})).nodeid, 0xffff), 0x145)
    })
  )

  it("times come from a clock that does not go back and keeps to the time of day", () => {
    const millis = Date.now()
    const now = systemClock()
    let last = now()
    for (let n = 0; n < 10_000; n++) {
      const next = now()
      assert.isTrue(next.sec > last.sec || (next.sec === last.sec && next.nsec >= last.nsec))
      last = next
    }
    const told = Number(last.sec) * 1000 + last.nsec / 1e6
    assert.isTrue(millis <= told && told <= Date.now())
  })

  it("extended attributes can be left out", () => {
    assert.isUndefined(memory({ xattrs: false }).getxattr)
    assert.isFunction(memory().getxattr)
  })

  it("files need no opening while the kernel keeps the locks, unless it is asked for", () => {
    assert.isTrue(memory().capabilities?.noOpen)
    assert.isUndefined(memory({ opens: true }).capabilities?.noOpen)
    assert.isUndefined(memory({ locks: "server" }).capabilities?.noOpen)
  })
})
