/** Replies through pipes; a pipe stands for the device. */
import { assert, it } from "@effect/vitest"
import type { DataPart } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { randomBytes } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fd as numberOf, pipe_pair } from "../src/index.ts"
import { addon } from "../src/native.ts"
import { makeSplicer } from "../src/device/splice.ts"

const content = randomBytes(300_000)
const request = { uniqueLow: 7, uniqueHigh: 9 }

const file = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "bickford-splice-"))
    writeFileSync(join(folder, "file"), content)
    return { folder, fd: openSync(join(folder, "file"), "r") }
  }),
  ({ fd, folder }) =>
    Effect.sync(() => {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    })
)

const header = (length: number): Buffer => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt32LE(request.uniqueLow, 8)
  bytes.writeUInt32LE(request.uniqueHigh, 12)
  return bytes
}

const received = Buffer.alloc(1 << 20)
const descriptors = (): number => readdirSync("/proc/self/fd").length

it.live("a reply has the length of what its files have, and what cannot be spliced is left to be copied", () =>
  Effect.gen(function* () {
    const { fd } = yield* file
    const [from, device] = yield* pipe_pair
    assert.isAbove(addon.pipe_slots(device, 1 << 20), 0)
    const before = descriptors()
    const splicer = makeSplicer(device, 1 << 19, false)
    const sent = (parts: ReadonlyArray<DataPart>): Buffer => {
      assert.strictEqual(splicer.reply(request, parts), 0)
      return received.subarray(0, addon.read_frame(from, received))
    }
    const is = (actual: Buffer, ...body: ReadonlyArray<Uint8Array>) => {
      const bytes = Buffer.concat(body)
      assert.isTrue(actual.equals(Buffer.concat([header(16 + bytes.length), bytes])))
    }
    const [head, tail] = [randomBytes(10), randomBytes(9000)]
    is(sent([{ fd, offset: 0, length: 100_000 }]), content.subarray(0, 100_000))
    is(
      sent([head, { fd, offset: 4095, length: 100_000 }, tail, { fd, offset: 1n, length: 1 }]),
      head,
      content.subarray(4095, 104_095),
      tail,
      content.subarray(1, 2)
    )
    // The file ends: a shorter header, and nothing of what lies behind it.
    is(sent([{ fd, offset: 250_000, length: 100_000 }]), content.subarray(250_000))
    is(sent([head, { fd, offset: 290_000, length: 100_000 }, tail]), head, content.subarray(290_000))
    is(sent([{ fd, offset: 300_000, length: 100_000 }]))
    const left: ReadonlyArray<ReadonlyArray<DataPart>> = [
      [{ fd, offset: 0, length: 100 }],
      [content],
      [{ fd, length: 100_000 }],
      [{ fd: numberOf(from) ?? -1, offset: 0, length: 100_000 }],
      [
        { fd, offset: 0, length: 100_000 },
        { fd: 1_000_000, offset: 0, length: 1 }
      ],
      [{ fd, offset: 0, length: 1 << 24 }],
      [{ fd, offset: 2n ** 63n, length: 100_000 }]
    ]
    for (const parts of left) assert.isUndefined(splicer.reply(request, parts))
    // Nothing of them was sent, or is in the way of the next.
    is(sent([{ fd, offset: 5, length: 100_000 }]), content.subarray(5, 100_005))
    assert.strictEqual(descriptors(), before + 4)
    splicer.close()
    assert.strictEqual(descriptors(), before)
  })
)
