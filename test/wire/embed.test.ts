/** Sessions in a program's own loop. */
import { assert, describe, it } from "@effect/vitest"
import { errnoNumbers } from "@bickford/protocol"
import { embed, embedFrames } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import { select_read, socketpair } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../mount/bickford.ts"
import { oneFile } from "../mount/oneFile.ts"

const read = { op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 } as const

describe("a session in a program's own loop", () => {
  it.live("serves what the program has read, and nothing else", () =>
    Effect.gen(function* () {
      const [kernelEnd, serverEnd] = yield* socketpair({ type: "seqpacket" })
      const kernel = yield* FakeKernel.make(kernelEnd)
      let destroyed = 0
      const answer = yield* Deferred.make<void>()
      const embedded = yield* embed(
        serverEnd,
        oneFile({
          read: () => Effect.as(Deferred.await(answer), Buffer.from("hello")),
          destroy: () => Effect.sync(() => void destroyed++)
        })
      )
      assert.isNumber(embedded.fd())
      assert.isUndefined(embedded.receive())
      /** The program's loop: one frame for each readiness. */
      const step = Effect.gen(function* () {
        yield* select_read(serverEnd)
        const received = embedded.receive()
        if (typeof received === "object") embedded.process(received)
        return received
      })
      const init = yield* Effect.forkChild(kernel.init())
      yield* step
      yield* Fiber.join(init)
      const unique = yield* kernel.send(read)
      yield* Effect.yieldNow
      assert.strictEqual(embedded.session.connection.inFlight.size, 0, "nobody has read it")
      yield* step
      assert.strictEqual(embedded.session.connection.inFlight.size, 1)
      const lookup = yield* Effect.forkChild(kernel.call({ op: "lookup", name: "file" }))
      yield* step
      assert.strictEqual((yield* Fiber.join(lookup)).nodeid, 2)
      yield* Deferred.succeed(answer, undefined)
      assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.isFalse(embedded.exited())
      embedded.exit()
      assert.isTrue(embedded.exited())
      const late = yield* Effect.forkChild(kernel.call({ op: "lookup", name: "file" }))
      yield* select_read(serverEnd)
      assert.strictEqual(embedded.receive(), "exited", "what is asked then is not read")
      embedded.reset()
      assert.isFalse(embedded.exited())
      yield* step
      assert.strictEqual((yield* Fiber.join(late)).nodeid, 2)
      assert.strictEqual(destroyed, 0)
      yield* kernel.close
      assert.strictEqual(embedded.receive(), "closed")
      assert.strictEqual((yield* embedded.session.awaitEnd).reason, "closed")
      assert.strictEqual(destroyed, 1)
      embedded.reset()
      assert.isTrue(embedded.exited(), "its connection has ended")
    })
  )

  it.live("sees that the peer hung up", () =>
    Effect.gen(function* () {
      const [kernelEnd, serverEnd] = yield* socketpair({ type: "seqpacket" })
      const kernel = yield* FakeKernel.make(kernelEnd)
      const embedded = yield* embed(serverEnd, oneFile())
      yield* kernel.close
      assert.strictEqual(embedded.receive(), "closed")
      assert.strictEqual((yield* embedded.session.awaitEnd).reason, "closed")
    })
  )

  it.live("serves frames as bytes, with no descriptor", () =>
    Effect.gen(function* () {
      const replies: Array<Uint8Array> = []
      const served = yield* embedFrames(oneFile(), (frame) => replies.push(frame))
      const frame = (opcode: number, unique: number, nodeid: number, body: Uint8Array): Uint8Array => {
        const bytes = new Uint8Array(40 + body.length)
        const view = new DataView(bytes.buffer)
        view.setUint32(0, bytes.length, true)
        view.setUint32(4, opcode, true)
        view.setUint32(8, unique, true)
        view.setUint32(16, nodeid, true)
        bytes.set(body, 40)
        return bytes
      }
      const init = new Uint8Array(64)
      new DataView(init.buffer).setUint32(0, 7, true)
      new DataView(init.buffer).setUint32(4, 31, true)
      assert.isTrue(served.process(frame(26, 2, 0, init)))
      yield* served.session.negotiated
      assert.isTrue(served.process(frame(1, 4, 1, Buffer.from("file\0"))))
      assert.isTrue(served.process(frame(1, 6, 1, Buffer.from("none\0"))))
      const outcomes = replies.map((reply) => {
        const view = new DataView(reply.buffer)
        return [view.getUint32(8, true), view.getInt32(4, true), reply.length === view.getUint32(0, true)]
      })
      assert.deepStrictEqual(outcomes, [
        [2, 0, true],
        [4, 0, true],
        [6, -errnoNumbers.ENOENT, true]
      ])
      served.exit()
      yield* served.session.awaitEnd
      assert.isFalse(served.process(frame(1, 8, 1, Buffer.from("file\0"))))
    })
  )
})

it("the embedding guide names what there is", () => {
  const guide = readFileSync(join(root, "docs", "embedding.md"), "utf8")
  for (const name of ["embed(", "embedFrames(", "receive()", "process(", "exit()", "exited()", "reset()"])
    assert.include(guide, name)
})
