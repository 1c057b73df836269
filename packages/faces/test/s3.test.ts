/** A bucket as directories, on a server that speaks S3's protocol. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { s3 } from "../src/index.ts"
import { bucket } from "./bucket.ts"

const errnoOf = <A>(call: Effect.Effect<A, { readonly _tag: string }>) =>
  Effect.match(call, { onFailure: (error) => error._tag, onSuccess: () => "done" })

const mounted = (backend: Backend) =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(backend)
    yield* kernel.init()
    return kernel
  })

const large = Buffer.alloc(20 << 20, "0123456789abcdef")

describe("a bucket", () => {
  it.live("holds what was written once it is closed, and shows its keys as directories", () =>
    Effect.gen(function* () {
      const { options } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", options))
      yield* kernel.mkdir("/empty")
      yield* kernel.mkdir("/d")
      yield* kernel.writeFile("/d/a file, and more", "text")
      yield* kernel.writeFile("/d/other", "other")
      yield* kernel.writeFile("/d/other", "shorter".slice(0, 3))
      // Another mount of it, that has nothing in any cache.
      const again = yield* mounted(yield* s3("bucket", options))
      assert.deepStrictEqual([...(yield* again.readdir("/"))].toSorted(), ["d", "empty"])
      assert.deepStrictEqual([...(yield* again.readdir("/d"))].toSorted(), ["a file, and more", "other"])
      assert.strictEqual((yield* again.readFile("/d/a file, and more")).toString(), "text")
      assert.strictEqual((yield* again.readFile("/d/other")).toString(), "sho")
      assert.deepStrictEqual([...(yield* (yield* mounted(yield* s3("bucket/d", options))).readdir("/"))].toSorted(), [
        "a file, and more",
        "other"
      ])
      yield* kernel.rename("/d/other", "/moved")
      assert.strictEqual(yield* errnoOf(kernel.rename("/d", "/e")), "EXDEV")
      assert.strictEqual(yield* errnoOf(kernel.rmdir("/d")), "ENOTEMPTY")
      yield* kernel.unlink("/d/a file, and more")
      yield* kernel.rmdir("/d")
      yield* kernel.rmdir("/empty")
      assert.deepStrictEqual([...(yield* kernel.readdir("/"))], ["moved"])
      assert.strictEqual((yield* kernel.readFile("/moved")).toString(), "sho")
    })
  )

  it.live("takes a large file in parts, and gives it by ranges", () =>
    Effect.gen(function* () {
      const { options, requests } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", options))
      yield* kernel.writeFile("/large", large)
      assert.strictEqual(requests.filter((line) => line.includes("partNumber=")).length, 3)
      const again = yield* mounted(yield* s3("bucket", options))
      assert.strictEqual((yield* again.stat("/large")).size, large.length)
      assert.isTrue((yield* again.readFile("/large")).equals(large))
      yield* again.truncate("/large", 5)
      assert.strictEqual((yield* kernel.readFile("/large")).toString(), "01234")
    })
  )

  it.live("whose object is replaced while it is open: an error, and never a mixture", () =>
    Effect.gen(function* () {
      const { options } = yield* bucket
      const writer = yield* mounted(yield* s3("bucket", options))
      yield* writer.writeFile("/file", large)
      const kernel = yield* mounted(yield* s3("bucket", options))
      const { nodeid } = yield* kernel.call({ op: "lookup", nodeid: 1, name: "file" })
      const { fh } = yield* kernel.call({ op: "open", nodeid, flags: 0, openFlags: 0 })
      const read = (offset: number) =>
        kernel.call({ op: "read", nodeid, fh, offset, size: 16, readFlags: 0, lockOwner: 0, flags: 0 })
      yield* read(0)
      yield* writer.writeFile("/file", Buffer.alloc(large.length, "NEW"))
      assert.strictEqual(yield* errnoOf(read(5 << 20)), "EIO")
      assert.strictEqual(yield* errnoOf(kernel.call({ op: "open", nodeid, flags: 0, openFlags: 0 })), "ESTALE")
    })
  )

  it.live("on a server that stalls or breaks off in a body: EIO, and the next try gets it whole", () =>
    Effect.gen(function* () {
      const { meet, options } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", options))
      yield* kernel.writeFile("/large", large)
      yield* kernel.writeFile("/other", large)
      for (const [file, how, stallTimeout] of [
        ["/large", "stall", 3],
        ["/other", "break", 30]
      ] as const) {
        // Another mount of it, that has nothing in any cache.
        const again = yield* mounted(yield* s3("bucket", { ...options, stallTimeout }))
        yield* again.stat(file)
        meet((line) => (line.startsWith("GET") ? how : undefined))
        assert.strictEqual(yield* errnoOf(again.readFile(file)), "EIO")
        meet(() => undefined)
        assert.isTrue((yield* again.readFile(file)).equals(large))
      }
    })
  )

  it.live("that cannot be written to fails the close, and what is open can be closed again", () =>
    Effect.gen(function* () {
      const { meet, options } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", { ...options, stallTimeout: 3 }))
      meet((line) => (line.startsWith("PUT") ? "stall" : undefined))
      assert.strictEqual(yield* errnoOf(kernel.writeFile("/file", "text")), "EIO")
      meet(() => undefined)
      yield* kernel.writeFile("/file", "text")
      assert.strictEqual((yield* kernel.readFile("/file")).toString(), "text")
    })
  )

  it.live("whose server is slow to take a file: a caller that is killed returns at once, and the file gets there", () =>
    Effect.gen(function* () {
      const { meet, options } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", options))
      const { entry, open } = yield* kernel.call({
        op: "create",
        nodeid: 1,
        name: "file",
        flags: 0o102,
        mode: 0o100644,
        umask: 0,
        openFlags: 0
      })
      const file = { nodeid: entry.nodeid, fh: open.fh, lockOwner: 0 }
      const data = Buffer.from("text")
      yield* kernel.call({ op: "write", ...file, offset: 0, size: data.length, writeFlags: 0, flags: 0, data })
      let arrived: () => void = () => {}
      let goOn: () => void = () => {}
      const come = new Promise<void>((resolve) => (arrived = resolve))
      const gate = new Promise<void>((resolve) => (goOn = resolve))
      meet((line) => {
        if (!line.startsWith("PUT")) return undefined
        arrived()
        return gate
      })
      // Of no process: a caller that has been killed.
      const unique = yield* kernel.send({ op: "flush", ...file, pid: 0x3fff_fff0 })
      yield* Effect.promise(() => come)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      goOn()
      yield* kernel.call({ op: "release", ...file, flags: 0, releaseFlags: 0 })
      const again = yield* mounted(yield* s3("bucket", options))
      assert.strictEqual((yield* again.readFile("/file")).toString(), "text")
    })
  )

  it.live("that is not there, or refuses the keys, is told before the mount", () =>
    Effect.gen(function* () {
      const { options } = yield* bucket
      assert.strictEqual((yield* Effect.flip(s3("missing", options))).message, "missing: there is no such bucket")
      const wrong = yield* Effect.flip(s3("bucket", { ...options, accessKeyId: "wrong" }))
      assert.strictEqual(wrong.message, "bucket: the server refuses the keys")
    })
  )
})
