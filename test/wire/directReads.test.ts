/** Reading past the kernel's cache, O_DIRECT. */
import { it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import { memory } from "@bickford/backends"
import * as Effect from "effect/Effect"

const O_RDWR = 2
const O_DIRECT = 0o40000

it.live("drops the pages that the kernel keeps of the file, once, and again when there are new ones", () =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(memory({ opens: true }))
    yield* kernel.init()
    const { entry, open } = yield* kernel.call({
      op: "create",
      name: "file",
      mode: 0o100644,
      umask: 0,
      flags: O_RDWR,
      openFlags: 0
    })
    const common = { nodeid: entry.nodeid, fh: open.fh, lockOwner: 0, offset: 0, size: 4096 }
    const write = kernel.call({ op: "write", ...common, flags: O_RDWR, writeFlags: 0, data: Buffer.alloc(4096) })
    const read = (flags: number) => kernel.call({ op: "read", ...common, flags, readFlags: 0 })
    const dropped = Effect.sync(
      () =>
        kernel
          .notifications()
          .filter((sent) => sent.notify === "invalInode" && sent.ino === entry.nodeid && sent.off === 0).length
    )
    const becomes = (count: number) =>
      Effect.repeat(Effect.delay(dropped, "2 millis"), { until: (now) => now === count })
    yield* write
    yield* read(O_RDWR)
    yield* read(O_RDWR | O_DIRECT)
    yield* becomes(1)
    yield* read(O_RDWR | O_DIRECT)
    yield* read(O_RDWR)
    yield* read(O_RDWR | O_DIRECT)
    yield* becomes(2)
    yield* write
    yield* read(O_RDWR | O_DIRECT)
    yield* becomes(3)
  })
)
