/** A bucket as directories, on a server that speaks S3's protocol. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer, request as forward, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { s3 } from "../src/index.ts"

const keys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER", region: "us-east-1" }
const errnoOf = <A>(call: Effect.Effect<A, { readonly _tag: string }>) =>
  Effect.match(call, { onFailure: (error) => error._tag, onSuccess: () => "done" })

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })

/** A server with an empty bucket, and a proxy before it that a test can have misbehave. */
const bucket = Effect.acquireRelease(
  Effect.promise(async () => {
    const directory = await mkdtemp(join(tmpdir(), "bickford-s3-"))
    // It makes its continuation tokens with DES, which OpenSSL has put aside.
    const program = join(import.meta.dirname, "s3Server.mjs")
    const s3rver = spawn(process.execPath, ["--openssl-legacy-provider", program, directory], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    const ended = once(s3rver, "exit")
    const [line] = await once(s3rver.stdout, "data")
    const port = Number(String(line))
    const requests: Array<string> = []
    let stalls: (line: string) => boolean = () => false
    const proxy = createServer((from, to) => {
      const line = `${from.method} ${from.url}`
      requests.push(line)
      if (stalls(line)) return
      const passed = forward(
        { host: "127.0.0.1", port, path: from.url, method: from.method, headers: from.headers },
        (answer) => {
          to.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(to)
        }
      )
      passed.on("error", () => to.destroy())
      from.pipe(passed)
    })
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
    // A server that listens has an address with a port.
    const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    return {
      directory,
      s3rver,
      ended,
      proxy,
      requests,
      options: { ...keys, endpoint },
      meet: (body: typeof stalls) => {
        stalls = body
      }
    }
  }),
  ({ directory, ended, proxy, s3rver }) =>
    Effect.promise(async () => {
      await close(proxy)
      s3rver.stdin.end()
      await ended
      await rm(directory, { recursive: true, force: true })
    })
)

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

  it.live("that cannot be written to fails the close, and what is open can be closed again", () =>
    Effect.gen(function* () {
      const { meet, options } = yield* bucket
      const kernel = yield* mounted(yield* s3("bucket", { ...options, stallTimeout: 0.3 }))
      meet((line) => line.startsWith("PUT"))
      assert.strictEqual(yield* errnoOf(kernel.writeFile("/file", "text")), "EIO")
      meet(() => false)
      yield* kernel.writeFile("/file", "text")
      assert.strictEqual((yield* kernel.readFile("/file")).toString(), "text")
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
