/** A session over two pipes: no device, no sockets. */
import { assert, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import { memory } from "@bickford/backends"
import * as Effect from "effect/Effect"

it.live("a filesystem is driven over pipes, replies larger than a pipe's buffer included", () =>
  Effect.gen(function* () {
    const { kernel, session } = yield* FakeKernel.serveOverPipes(memory({ opens: true }))
    yield* kernel.init()
    const { entry, open } = yield* kernel.call({
      op: "create",
      name: "file",
      mode: 0o100644,
      umask: 0,
      flags: 2,
      openFlags: 0
    })
    const data = Buffer.alloc(30_000, "x")
    const common = { nodeid: entry.nodeid, fh: open.fh, lockOwner: 0, flags: 2 }
    for (let at = 0; at < 300_000; at += data.length) {
      assert.strictEqual(
        yield* kernel.call({ op: "write", ...common, offset: at, size: data.length, writeFlags: 0, data }),
        data.length
      )
    }
    const read = yield* kernel.call({ op: "read", ...common, offset: 0, size: 200_000, readFlags: 0 })
    assert.strictEqual(Buffer.concat(read instanceof Uint8Array ? [read] : read).toString(), "x".repeat(200_000))
    const names = [
      ...(yield* kernel.call({ op: "readdir", fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }))
    ].map(({ name }) => name)
    assert.deepStrictEqual(names, [".", "..", "file"])
    yield* kernel.forget(entry.nodeid, 1)
    assert.deepStrictEqual(kernel.unexpected(), [])
    yield* kernel.close
    assert.strictEqual((yield* session.awaitEnd).reason, "closed")
  })
)
