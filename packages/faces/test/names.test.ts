/** Names and targets of links that are no UTF-8: a Node filesystem takes strings, so they are refused and not changed. */
import { assert, describe, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { Volume } from "memfs"
import { fromFs } from "../src/index.ts"

const bytes = Buffer.from([0xff, 0xfe])

describe("what is no UTF-8 is EILSEQ", () => {
  for (const request of [
    { op: "mkdir", nodeid: 1, name: bytes, mode: 0o755, umask: 0 },
    { op: "symlink", nodeid: 1, name: "link", target: bytes }
  ] as const)
    it.live(request.op, () =>
      Effect.gen(function* () {
        const volume = Volume.fromJSON({}, "/")
        const { kernel } = yield* FakeKernel.serve(fromFs(volume.promises))
        yield* kernel.init()
        assert.strictEqual((yield* Effect.flip(kernel.call(request)))._tag, "EILSEQ")
        assert.deepStrictEqual(volume.readdirSync("/"), [])
      })
    )
})
