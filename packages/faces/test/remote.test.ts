/** Files of web servers: what a caller gets of a server that stalls, breaks off, or changes a file while it is read. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { http } from "../src/index.ts"

interface ServedFile {
  content: Buffer
  /** Undefined: the server tells no versions apart. */
  etag?: string
  ranges?: boolean
}

/** A server of files in memory, with index pages as Apache makes them. */
const makeFiles = () => {
  const files = new Map<string, ServedFile>()
  /** Answers a request in place of the server; false: it does not. */
  let instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  const requests: Array<string> = []

  const index = (path: string): string | undefined => {
    const names = new Set<string>()
    for (const file of files.keys()) {
      if (!file.startsWith(path)) continue
      const [name = "", ...below] = file.slice(path.length).split("/")
      names.add(encodeURIComponent(name) + (below.length > 0 ? "/" : ""))
    }
    const links = [...names].map((name) => `<a href="${name.replaceAll("&", "&amp;")}">x</a>`)
    return names.size === 0
      ? undefined
      : `<html><a href="?C=N;O=D">Name</a><a href="../">Up</a>${links.join("\n")}</html>`
  }

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(request.url ?? "/")
    requests.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim())
    if (instead(request, response)) return
    if (path.endsWith("/")) {
      const page = index(path)
      response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" }).end(page)
      return
    }
    const file = files.get(path)
    if (file === undefined) {
      if (index(`${path}/`) === undefined) response.writeHead(404).end()
      else response.writeHead(301, { location: `${request.url}/` }).end()
      return
    }
    answer(request, response, file)
  }

  const answer = (
    request: IncomingMessage,
    response: ServerResponse,
    { content, etag, ranges = true }: ServedFile
  ): void => {
    const headers = { ...(etag !== undefined && { etag }), "accept-ranges": "bytes" }
    const wanted = request.headers["if-match"]
    if (wanted !== undefined && wanted !== etag) {
      response.writeHead(412).end()
      return
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
    if (from === undefined || to === undefined || !ranges) {
      response.writeHead(200, { ...headers, "content-length": content.length }).end(content)
      return
    }
    const part = content.subarray(Number(from), Number(to) + 1)
    response
      .writeHead(206, {
        ...headers,
        "content-length": part.length,
        "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`
      })
      .end(part)
  }

  const server = createServer(serve)
  return {
    files,
    requests,
    meet: (body: typeof instead) => {
      instead = body
    },
    listen: Effect.acquireRelease(
      Effect.callback<string>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          // A server that listens has an address with a port.
          const { port } = server.address() as AddressInfo
          resume(Effect.succeed(`http://127.0.0.1:${port}/`))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    )
  }
}

const mounted = (backend: Backend) =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(backend)
    yield* kernel.init()
    return kernel
  })

const errnoOf = <A>(call: Effect.Effect<A, { readonly _tag: string }>) =>
  Effect.match(call, { onFailure: (error) => error._tag, onSuccess: () => "done" })

const large = Buffer.alloc(3_000_000, "0123456789abcdef")

describe("the files of a web server", () => {
  it.live("are listed, looked at and read by ranges, and each piece is fetched once", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/a b & c/large", { content: large, etag: '"1"' })
      web.files.set("/plain", { content: Buffer.from("text"), etag: '"2"', ranges: false })
      const kernel = yield* mounted(yield* http(yield* web.listen))
      assert.deepStrictEqual([...(yield* kernel.readdir("/"))].toSorted(), ["a b & c", "plain"])
      assert.strictEqual((yield* kernel.stat("/a b & c")).mode & 0o170000, 0o040000)
      assert.strictEqual((yield* kernel.stat("/a b & c/large")).size, large.length)
      assert.isTrue((yield* kernel.readFile("/a b & c/large")).equals(large))
      assert.isTrue((yield* kernel.readFile("/a b & c/large")).equals(large))
      assert.strictEqual(web.requests.filter((line) => line.startsWith("GET /a b & c/large")).length, 3)
      assert.strictEqual((yield* kernel.readFile("/plain")).toString(), "text")
      assert.strictEqual(yield* errnoOf(kernel.stat("/missing")), "ENOENT")
      assert.strictEqual(yield* errnoOf(kernel.writeFile("/plain", "x")), "EROFS")
    })
  )

  it.live("by a manifest", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/d/tree.json", {
        content: Buffer.from(JSON.stringify({ files: [{ path: "a/b", mtime: 1000, mode: 0o755 }] })),
        etag: '"m"'
      })
      web.files.set("/d/a/b", { content: Buffer.from("text"), etag: '"1"' })
      const kernel = yield* mounted(yield* http(`${yield* web.listen}d/tree.json`))
      assert.deepStrictEqual([...(yield* kernel.readdir("/"))], ["a"])
      assert.strictEqual((yield* kernel.readFile("/a/b")).toString(), "text")
      const { mode, mtime } = yield* kernel.stat("/a/b")
      assert.deepStrictEqual([mode, mtime.sec], [0o100755, 1000])
    })
  )

  for (const [kind, etag] of [
    ["with ETags", '"1"'],
    ["without", undefined]
  ] as const)
    it.live(`that change while they are open, on a server ${kind}: an error or the old bytes, never a mixture`, () =>
      Effect.gen(function* () {
        const web = makeFiles()
        web.files.set("/file", { content: large, ...(etag !== undefined && { etag }) })
        const kernel = yield* mounted(yield* http(yield* web.listen))
        const { nodeid } = yield* kernel.call({ op: "lookup", nodeid: 1, name: "file" })
        const open = { nodeid, flags: 0, openFlags: 0 }
        const { fh } = yield* kernel.call({ op: "open", ...open })
        const read = (offset: number, handle = fh) =>
          kernel.call({ op: "read", nodeid, fh: handle, offset, size: 16, readFlags: 0, lockOwner: 0, flags: 0 })
        const first = yield* read(0)
        assert.strictEqual(Buffer.from(first as Uint8Array).toString(), "0123456789abcdef")
        const changed = Buffer.alloc(large.length, "NEWnewNEWnewNEWn")
        web.files.set("/file", { content: changed, ...(etag !== undefined && { etag: '"2"' }) })
        // What lies beyond the piece that is there.
        const later = yield* Effect.exit(read(2_000_000))
        if (later._tag === "Success")
          assert.strictEqual(
            Buffer.from(later.value as Uint8Array).toString(),
            large.subarray(2_000_000, 2_000_016).toString()
          )
        else assert.isDefined(etag)
        // Whoever opens it now sees no mixture either.
        assert.strictEqual(yield* errnoOf(kernel.call({ op: "open", ...open })), etag === undefined ? "done" : "ESTALE")
        if (etag === undefined) return
        yield* kernel.call({ op: "release", nodeid, fh, flags: 0, releaseFlags: 0, lockOwner: 0 })
        assert.isTrue((yield* kernel.readFile("/file")).equals(changed))
      })
    )

  it.live("on a server that breaks off in a body: EIO, and the next try gets it whole", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/file", { content: large, etag: '"1"' })
      const kernel = yield* mounted(yield* http(yield* web.listen))
      yield* kernel.stat("/file")
      web.meet(({ headers }, response) => {
        if (headers.range === undefined) return false
        response.writeHead(206, {
          etag: '"1"',
          "content-length": 1 << 20,
          "content-range": `bytes 0-${(1 << 20) - 1}/${large.length}`
        })
        response.write(large.subarray(0, 1000), () => response.destroy())
        return true
      })
      assert.strictEqual(yield* errnoOf(kernel.readFile("/file")), "EIO")
      web.meet(() => false)
      assert.isTrue((yield* kernel.readFile("/file")).equals(large))
    })
  )

  it.live("on a server that stalls: the caller's signal ends the call at once, and its request", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/file", { content: large, etag: '"1"' })
      const kernel = yield* mounted(yield* http(yield* web.listen))
      const { nodeid } = yield* kernel.call({ op: "lookup", nodeid: 1, name: "file" })
      const { fh } = yield* kernel.call({ op: "open", nodeid, flags: 0, openFlags: 0 })
      let arrived: () => void = () => {}
      let ended: () => void = () => {}
      const come = new Promise<void>((resolve) => (arrived = resolve))
      const gone = new Promise<void>((resolve) => (ended = resolve))
      web.meet((_request, response) => {
        response.on("close", () => ended())
        arrived()
        return true
      })
      const unique = yield* kernel.send({
        op: "read",
        nodeid,
        fh,
        offset: 0,
        size: 16,
        readFlags: 0,
        lockOwner: 0,
        flags: 0,
        // Of no process: a caller that has been killed.
        pid: 0x3fff_fff0
      })
      yield* Effect.promise(() => come)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      yield* Effect.promise(() => gone)
    })
  )

  it.live("on a server that sends nothing any more: EIO after `stallTimeout`", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/file", { content: large, etag: '"1"' })
      const kernel = yield* mounted(yield* http(yield* web.listen, { stallTimeout: 0.2 }))
      yield* kernel.stat("/file")
      web.meet(({ method }) => method === "GET")
      assert.strictEqual(yield* errnoOf(kernel.readFile("/file")), "EIO")
    })
  )

  it.live("keep to the bound of the cache", () =>
    Effect.gen(function* () {
      const web = makeFiles()
      web.files.set("/file", { content: large, etag: '"1"' })
      const kernel = yield* mounted(yield* http(yield* web.listen, { cacheSize: 1 << 20 }))
      assert.isTrue((yield* kernel.readFile("/file")).equals(large))
      assert.isTrue((yield* kernel.readFile("/file")).equals(large))
      // Only the last piece could be kept.
      assert.isAbove(web.requests.filter((line) => line.startsWith("GET /file")).length, 3)
    })
  )
})
