/** What something thrown stands for. */
import { assert, describe, it } from "@effect/vitest"
import { errnoNumbers } from "@bickford/protocol"
import { pipe_pair, read_frame } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { inflateSync } from "node:zlib"
import { statSync } from "node:fs"
import { errnoOf, wireErrno } from "../src/errno.ts"

const numberOf = (thrown: unknown): number | undefined => {
  const error = errnoOf(thrown)
  return error === undefined ? undefined : wireErrno(error)
}

const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error("nothing was thrown")
}

describe("the errno of something thrown", () => {
  it("is that of Node's error by its code, or by its number where it has no code", () => {
    assert.strictEqual(numberOf(thrownBy(() => statSync("/no such file"))), errnoNumbers.ENOENT)
    assert.strictEqual(numberOf({ code: "ENOTEMPTY" }), errnoNumbers.ENOTEMPTY)
    assert.strictEqual(numberOf({ errno: -errnoNumbers.EROFS }), errnoNumbers.EROFS)
    assert.strictEqual(numberOf(-errnoNumbers.EBUSY), errnoNumbers.EBUSY)
  })

  it.effect("is that of a transport's error, whose tag is the errno's too", () =>
    Effect.gen(function* () {
      const [reader] = yield* pipe_pair
      const error = yield* Effect.flip(read_frame(reader))
      assert.instanceOf(error, Error)
      assert.strictEqual(error._tag, "EAGAIN")
      assert.strictEqual(error.syscall, "read")
      assert.strictEqual(numberOf(error), errnoNumbers.EAGAIN)
    })
  )

  it("is none where the number is of another numbering", () => {
    assert.isUndefined(numberOf(thrownBy(() => inflateSync(Buffer.from("no deflated data")))))
    assert.isUndefined(numberOf({ code: "ENOTFOUND", errno: -3008, syscall: "getaddrinfo" }))
  })
})
