/** Every operation, asked for by a program through the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import type { Request } from "@bickford/protocol"
import { abortConnection } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "../inProcess.ts"
import { run } from "../processes.ts"
import { everyOperation } from "./backend.ts"
import { client, type Row, rows } from "./rows.ts"

/** A loop device over a fresh file, gone with the scope. */
const loopDevice = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-loop-"))
    const file = join(folder, "image")
    await writeFile(file, "")
    await truncate(file, 1 << 20)
    return { folder, device: (await run("losetup", ["--find", "--show", file])).trim() }
  }),
  ({ device, folder }) =>
    Effect.promise(async () => {
      await run("losetup", ["--detach", device])
      await rm(folder, { recursive: true })
    })
)

type Run = Effect.Success<ReturnType<typeof serve>>["run"]

/** Runs the programs of `rows` in one process, and compares what they print and what the backend was asked. */
const drive = (
  rows: ReadonlyArray<Row & { readonly operation: Request["op"] }>,
  mountpoint: string,
  run: Run,
  asked: ReadonlyArray<Request>
) =>
  Effect.gen(function* () {
    const programs = JSON.stringify(rows.map(({ operation, program }) => [operation, program]))
    const printed = yield* run("python3", ["-c", client, mountpoint, programs])
    assert.deepStrictEqual(
      printed.trimEnd().split("\n"),
      rows.map(({ operation, prints }) => `${operation}: ${prints}`)
    )
    for (const { operation, request } of rows) yield* came(asked, operation, request)
  })

/** Whether `request` has all of `fields`; objects in it are compared by the fields named. */
const has = (request: object, fields: object): boolean =>
  Object.entries(fields).every(([field, wanted]) => {
    const value: unknown = Reflect.get(request, field)
    if (typeof wanted === "object" && wanted !== null)
      return typeof value === "object" && value !== null && has(value, wanted)
    return value === wanted || (typeof value === "bigint" && typeof wanted === "number" && value === BigInt(wanted))
  })

/** Waits for the request: those without a reply, and RELEASE, come when the kernel gets to them. */
const came = (asked: ReadonlyArray<Request>, operation: Request["op"], fields: object): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!asked.some((request) => request.op === operation && has(request, fields))) yield* Effect.sleep("5 millis")
  }).pipe(
    Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () =>
        Effect.die(
          new Error(
            `no ${operation} with ${JSON.stringify(fields)} among ${JSON.stringify(
              asked.filter(({ op }) => op === operation),
              (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)
            )}`
          )
        )
    })
  )

const table = (Object.entries(rows) as ReadonlyArray<[keyof typeof rows, Row]>).map(([operation, row]) => ({
  operation,
  ...row
}))

const options = { defaultPermissions: false } as const

describe("every operation on the real kernel", () => {
  it.live("reaches the backend with what the program asked, and the program sees the answer", () =>
    Effect.gen(function* () {
      const { asked, backend } = everyOperation()
      const { mountpoint, run } = yield* serve(backend, options)
      yield* drive(
        table.filter(({ blkdev }) => blkdev !== true),
        mountpoint,
        run,
        asked
      )
    })
  )

  it.live("a block device's mount has BMAP and SYNCFS too, and its unmount waits for destroy", () =>
    Effect.gen(function* () {
      const { device } = yield* loopDevice
      const { asked, backend } = everyOperation()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { mounted, mountpoint, run } = yield* serve(backend, {
            ...options,
            blkdev: true,
            fsname: device,
            blksize: 1024
          })
          const mounts = yield* run("findmnt", ["--noheadings", "--output", "SOURCE,FSTYPE", mountpoint])
          assert.deepStrictEqual(mounts.trim().split(/\s+/), [device, "fuseblk.bickford"])
          yield* drive(
            table.filter(({ blkdev }) => blkdev === true),
            mountpoint,
            run,
            asked
          )
          yield* mounted.unmount()
          assert.strictEqual((yield* mounted.awaitEnd).reason, "asked")
        })
      )
      yield* came(asked, "destroy", {})
    })
  )

  it.live("a blkdev mount of what is no block device says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.scoped(serve(everyOperation().backend, { blkdev: true, fsname: "/dev/null" }))
      )
      assert.include(error.message, "/dev/null is not a block device")
    })
  )

  for (const blkdev of [false, true]) {
    it.live(`a connection ${blkdev ? "of a block device " : ""}that is aborted ends the backend once`, () =>
      Effect.gen(function* () {
        const device = blkdev ? { blkdev, fsname: (yield* loopDevice).device } : {}
        const { asked, backend } = everyOperation()
        const { mounted } = yield* serve(backend, { ...options, ...device })
        yield* abortConnection(mounted)
        assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
        assert.strictEqual(asked.filter(({ op }) => op === "destroy").length, 1)
      })
    )
  }
})
