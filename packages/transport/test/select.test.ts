/** Waiting for readiness on the environment's event loop. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { openSync, closeSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { close, fd, fromFd, pipe_pair, socketpair } from "../src/handle.ts"
import { addon } from "../src/native.ts"
import { select_read } from "../src/select.ts"

/** Every readiness there is by now has been delivered after two turns of the event loop. */
const turns = Effect.promise(() => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))))

const byte = new Uint8Array(1)
const EAGAIN = 11
const EBUSY = 16

describe("select_read", () => {
  it.live("comes when there is something to read, once for each time it is asked", () =>
    Effect.gen(function* () {
      const [readEnd, writeEnd] = yield* pipe_pair
      let ready = 0
      const waiting = yield* Effect.forkChild(Effect.tap(select_read(readEnd), () => Effect.sync(() => ready++)))
      yield* turns
      assert.strictEqual(ready, 0, "nothing is there yet")
      addon.write_frame(writeEnd, byte)
      yield* Fiber.join(waiting)
      addon.write_frame(writeEnd, byte)
      yield* turns
      assert.strictEqual(ready, 1, "used up by the delivery")
      yield* select_read(readEnd)
      assert.strictEqual(addon.read_frame(readEnd, new Uint8Array(8)), 2)
      assert.strictEqual(addon.read_frame(readEnd, new Uint8Array(8)), -EAGAIN)
      const again = yield* Effect.forkChild(select_read(readEnd))
      yield* Effect.yieldNow
      addon.write_frame(writeEnd, byte)
      yield* Fiber.join(again)
    })
  )

  it.live("comes at the end of a pipe", () =>
    Effect.gen(function* () {
      const [readEnd, writeEnd] = yield* pipe_pair
      const waiting = yield* Effect.forkChild(select_read(readEnd))
      yield* Effect.yieldNow
      yield* close(writeEnd)
      yield* Fiber.join(waiting)
      assert.strictEqual(addon.read_frame(readEnd, byte), 0)
    })
  )

  it.live("fails with select_already_closed when the handle is closed, before or during the wait", () =>
    Effect.gen(function* () {
      const [readEnd] = yield* pipe_pair
      const waiting = yield* Effect.forkChild(select_read(readEnd))
      yield* Effect.yieldNow
      yield* close(readEnd)
      const during = yield* Effect.flip(Fiber.join(waiting))
      assert.strictEqual(during._tag, "select_already_closed")
      const before = yield* Effect.flip(select_read(readEnd))
      assert.strictEqual(before._tag, "select_already_closed")
      assert.include(before.message, "closed")
    })
  )

  it.live("fails with select_not_supported for a regular file", () =>
    Effect.gen(function* () {
      const number = yield* Effect.acquireRelease(
        Effect.sync(() => openSync(fileURLToPath(import.meta.url), "r")),
        (open) => Effect.sync(() => closeSync(open))
      )
      const error = yield* Effect.flip(select_read(yield* fromFd(number)))
      assert.strictEqual(error._tag, "select_not_supported")
    })
  )

  it.live("fails with select_failed when somebody waits already, and leaves them waiting", () =>
    Effect.gen(function* () {
      const [one, other] = yield* socketpair()
      const first = yield* Effect.forkChild(select_read(one))
      yield* Effect.yieldNow
      const second = yield* Effect.flip(select_read(one))
      assert.strictEqual(second._tag, "select_failed")
      assert.strictEqual(second.errno, EBUSY)
      addon.write_frame(other, byte)
      yield* Fiber.join(first)
    })
  )

  it.live("an interrupted wait is taken back: the next one can begin", () =>
    Effect.gen(function* () {
      const [one, other] = yield* socketpair()
      for (let i = 0; i < 100; i++) {
        const fiber = yield* Effect.forkChild(select_read(one))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      }
      addon.write_frame(other, byte)
      yield* select_read(one)
    })
  )
})

describe("persistent readiness", () => {
  it.live("comes as long as there is something, until it is stopped", () =>
    Effect.gen(function* () {
      const [readEnd, writeEnd] = yield* pipe_pair
      const thrice = yield* Deferred.make<void>()
      let calls = 0
      assert.strictEqual(
        addon.select_read(
          readEnd,
          () => {
            calls++
            if (calls < 3) return
            addon.select_stop(readEnd)
            Deferred.doneUnsafe(thrice, Exit.void)
          },
          true
        ),
        0
      )
      addon.write_frame(writeEnd, byte)
      yield* Deferred.await(thrice)
      yield* turns
      assert.strictEqual(calls, 3)
    })
  )

  it.live("what the callback throws is an uncaught exception of the program", () =>
    Effect.gen(function* () {
      const [readEnd, writeEnd] = yield* pipe_pair
      const thrown = yield* Deferred.make<unknown>()
      const listeners = process.listeners("uncaughtException")
      process.removeAllListeners("uncaughtException")
      process.once("uncaughtException", (error) => Deferred.doneUnsafe(thrown, Exit.succeed(error)))
      addon.select_read(readEnd, () => {
        throw new Error("mine")
      })
      addon.write_frame(writeEnd, byte)
      const error = yield* Deferred.await(thrown)
      for (const listener of listeners) process.on("uncaughtException", listener)
      assert.isTrue(error instanceof Error && error.message === "mine")
    })
  )
})

describe("handles", () => {
  it.live("are closed with their scope", () =>
    Effect.gen(function* () {
      const [one, other] = yield* Effect.scoped(pipe_pair)
      assert.isUndefined(fd(one))
      assert.isUndefined(fd(other))
    })
  )

  it.live("fromFd is a duplicate: the number it was made of stays its owner's", () =>
    Effect.gen(function* () {
      const number = openSync("/dev/zero", "r")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const handle = yield* fromFd(number)
          assert.notStrictEqual(fd(handle), number)
        })
      )
      closeSync(number)
      assert.strictEqual((yield* Effect.flip(fromFd(number)))._tag, "EBADF")
    })
  )
})
