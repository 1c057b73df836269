/** The native ring, and which queues it has. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { addon } from "../src/native.ts"
import { cpuList, machineQueues, machineShares, queuesOf, sharesOf } from "../src/ring/cpus.ts"
import { payloadFor } from "../src/ring/Ring.ts"

describe("the queues of a machine", () => {
  it("are of every CPU that could be there, deep where it is", () => {
    assert.deepStrictEqual(cpuList("0-2,5,7-8\n"), [0, 1, 2, 5, 7, 8])
    assert.deepStrictEqual(cpuList("\n"), [])
    assert.deepStrictEqual([...queuesOf([0, 1, 2], [0, 2], 2)], [0, 0, 1, 2, 2])
    const possible = cpuList(readFileSync("/sys/devices/system/cpu/possible", "latin1"))
    assert.deepStrictEqual([...new Set(machineQueues(1))], possible)
  })

  it("are shared out: each CPU's to one thread, those of CPUs that are not there to all", () => {
    const shares = (threads: number) =>
      sharesOf([0, 1, 2, 3, 4], [0, 1, 3], threads, 2).map(({ cpus, queues }) => [cpus, [...queues]])
    assert.deepStrictEqual(shares(9), [
      [[0], [0, 0, 2]],
      [[1], [1, 1, 4]],
      [[3], [3, 3]]
    ])
    assert.deepStrictEqual(shares(2), [
      [
        [0, 3],
        [0, 0, 3, 3, 2]
      ],
      [[1], [1, 1, 4]]
    ])
    assert.deepStrictEqual(shares(1), [
      [
        [0, 1, 3],
        [0, 0, 1, 1, 3, 3, 2, 4]
      ]
    ])
    const all = machineShares("auto").flatMap(({ queues }) => [...queues])
    assert.deepStrictEqual(new Set(all), new Set(machineQueues()))
  })

  it("hold what the kernel asks for", () => {
    assert.strictEqual(payloadFor({ maxWrite: 4096, maxPages: 1 }), 8192)
    assert.strictEqual(payloadFor({ maxWrite: 1 << 20, maxPages: 32 }), 1 << 20)
    assert.strictEqual(payloadFor({ maxWrite: 4096, maxPages: 256 }), 1 << 20)
  })
})

describe("a ring", () => {
  const made = () => {
    const ring = addon.ring(Uint16Array.of(0, 0, 1))
    if (typeof ring === "number") throw new Error(`io_uring_setup: ${ring}; this test needs io_uring of Linux 6.1`)
    return ring
  }

  it("tells what is asked of it wrongly", () => {
    assert.strictEqual(addon.ring(new Uint16Array(0)), -22)
    assert.throws(() => Reflect.apply(addon.ring, undefined, [[1]]), TypeError)
    const ring = made()
    assert.throws(() => Reflect.apply(ring.start, undefined, [1]), TypeError)
    for (const none of [undefined, 1, {}]) Reflect.apply(ring.answer_by, undefined, [none])
    assert.throws(() => Reflect.apply(ring.register, undefined, [{}, 8192]), TypeError)
    ring.close()
  })

  it("has room for its lists, and is of no use once it is closed", () => {
    const ring = made()
    assert.strictEqual(ring.control.byteLength, 4 * (3 + 2 * 3))
    assert.strictEqual(ring.header_stride, 320)
    assert.strictEqual(ring.submit(), 0)
    ring.close()
    ring.close()
    ring.stop()
    assert.deepStrictEqual([ring.submit(), ring.start(() => {})], [-9, -9])
  })

  it("is refused by what is no mounted device, and closed with that", () => {
    const device = addon.open_dev_fuse()
    if (typeof device === "number") throw new Error(`this test needs /dev/fuse: ${device}`)
    const ring = made()
    const status = ring.register(device, 8192)
    assert.isBelow(typeof status === "number" ? status : 0, 0)
    assert.strictEqual(ring.submit(), -9)
    addon.close(device)
  })

  it("waits beside timers and promises without a request", async () => {
    const ring = made()
    assert.strictEqual(
      ring.start(() => {}),
      0
    )
    assert.strictEqual(
      ring.start(() => {}),
      -16
    )
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setImmediate(resolve))
    }
    ring.stop()
    ring.close()
  })
})
