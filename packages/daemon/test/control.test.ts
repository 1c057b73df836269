/** The control socket and the loopback port against whatever is sent to them: each request is answered or cut off, the server lives. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { commandError } from "../src/CommandError.ts"
import { defaultLimits, type HttpLimits } from "../src/control/httpServer.ts"
import { type Controlled, serveControl } from "../src/control/server.ts"
import type { StatusReport } from "../src/control/StatusReport.ts"

const report: StatusReport = { version: "1", pid: 1, startedAt: 0, rss: 0, heapUsed: 0, mounts: [] }

const controlled = (changes: Partial<Controlled> = {}): Controlled => ({
  keeper: {
    report: () => report,
    counts: () => new Map(),
    mount: (name) => Effect.fail(commandError(`no mount is called ${name}`))
  },
  reload: Effect.succeed({ started: [], stopped: [], unchanged: [] }),
  metrics: () => "metrics 1\n",
  restore: Effect.void,
  ...changes
})

type Address = { readonly path: string } | { readonly port: number }

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Both endpoints, for the life of the scope. */
const listening = Effect.fnUntraced(function* (given: Controlled = controlled(), limits: Partial<HttpLimits> = {}) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-control-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const path = join(folder, "control.sock")
  const port = yield* freePort
  yield* serveControl(path, port, given, { ...defaultLimits, ...limits })
  const endpoints: ReadonlyArray<readonly [string, Address]> = [
    ["the socket", { path }],
    ["the port", { port }]
  ]
  return { endpoints, socket: { path }, port: { port } }
})

const opened = (address: Address): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...address, allowHalfOpen: true })
    socket.once("connect", () => resolve(socket)).once("error", reject)
  })

/** Sends `bytes`, and gives everything that is answered until the peer hangs up. */
const exchange = async (address: Address, bytes: string | Uint8Array, halfClose = true): Promise<string> => {
  const socket = await opened(address)
  let answer = ""
  return new Promise((resolve) => {
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text))
    // A peer that cuts the connection off while more is sent is an answer too.
    socket.on("error", () => {})
    socket.on("end", () => socket.destroy())
    socket.on("close", () => resolve(answer))
    if (halfClose) socket.end(bytes)
    else socket.write(bytes)
  })
}

const get = (target: string, method = "GET", headers = "host: localhost"): string =>
  `${method} ${target} HTTP/1.1\r\n${headers}\r\nconnection: close\r\n\r\n`

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)

/** It is still there, and answers in order. */
const lives = async (address: Address): Promise<void> =>
  assert.strictEqual(statusOf(await exchange(address, get("/healthz"))), 200)

const targets = [
  "//",
  "///",
  "//@",
  "/\\\\",
  "\\",
  "/%",
  "/%/",
  "/mounts/%/log",
  "/mounts/%00/log",
  "/mounts/%ff/restart",
  "/mounts/a%2Fb/log",
  "/mounts",
  "/mounts/",
  "/mounts//log",
  "/mounts/constructor/log",
  "/__proto__",
  "/toString",
  "http://[",
  "http://%/",
  "http://x:99999/",
  "*",
  "?",
  "/?%",
  "/status?%",
  "/metrics/../status",
  `/${"a/".repeat(2000)}`,
  "#"
]

describe("control", () => {
  it.live("a target that cannot be is refused, and the next request is answered", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* listening()
      for (const [where, address] of endpoints) {
        for (const method of ["GET", "POST", "OPTIONS", "DELETE"]) {
          for (const target of targets) {
            const status = statusOf(yield* Effect.promise(() => exchange(address, get(target, method))))
            // A query is no part of the path: "/?%" is the page.
            const isThere = target === "/?%" || (target === "/status?%" && where === "the socket")
            const expected = isThere && method === "GET" ? [200] : [400, 404]
            assert.include(expected, status, `${where}: ${method} ${target}`)
          }
        }
        assert.include([0, 400], statusOf(yield* Effect.promise(() => exchange(address, get("x:1", "CONNECT")))))
        yield* Effect.promise(() => lives(address))
      }
    })
  )

  it.live("fuzz: nothing that is sent ends it", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* listening()
      const text = fc.string({ unit: "binary", maxLength: 40 })
      const target = fc.oneof(
        fc.constantFrom(...targets),
        text,
        fc
          .array(fc.constantFrom("/", "%", "mounts", "..", "\\", "@", ":", "[", "?", "#", "log", "0", "\u00ff"))
          .map((parts) => `/${parts.join("")}`)
      )
      const field = fc
        .tuple(
          fc.constantFrom("host", "content-length", "transfer-encoding", "expect", "upgrade", "connection", "x"),
          fc.oneof(text, fc.constantFrom("chunked", "-1", "1e9", "100-continue", "websocket", "upgrade"))
        )
        .map(([name, value]) => `${name}: ${value}\r\n`)
      const request = fc
        .tuple(
          fc.constantFrom("GET", "POST", "PUT", "OPTIONS", "CONNECT", "HEAD", "PRI", "get"),
          target,
          fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/9.9", ""),
          fc.array(field, { maxLength: 4 }),
          text
        )
        .map(([method, where, version, fields, body]) =>
          Buffer.from(`${method} ${where} ${version}\r\n${fields.join("")}\r\n${body}`, "latin1")
        )
      const bytes = fc.oneof(
        { weight: 4, arbitrary: request },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2000 }) }
      )
      for (const [, address] of endpoints) {
        for (const sent of fc.sample(fc.array(bytes, { minLength: 1, maxLength: 3 }), { numRuns: 400, seed: 25 })) {
          const answer = yield* Effect.promise(() => exchange(address, Buffer.concat(sent)))
          assert.match(answer, /^(HTTP\/1\.1 \d{3} |$)/)
          assert.notInclude(answer, "HTTP/1.1 500")
        }
        yield* Effect.promise(() => lives(address))
      }
    })
  )

  it.live("a handler that throws or dies costs its request alone", () =>
    Effect.gen(function* () {
      let broken = true
      const { socket } = yield* listening(
        controlled({
          keeper: {
            report: () =>
              broken
                ? (() => {
                    throw new Error("no report")
                  })()
                : report,
            counts: () => new Map(),
            mount: () => Effect.die(new Error("no mount"))
          },
          reload: Effect.die(new Error("no configuration"))
        })
      )
      for (const asked of [get("/status"), get("/metrics"), get("/mounts/a/log"), get("/reload", "POST")]) {
        assert.strictEqual(statusOf(yield* Effect.promise(() => exchange(socket, asked))), 500, asked)
      }
      broken = false
      yield* Effect.promise(() => lives(socket))
    })
  )

  it.live("sizes are bounded", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* listening()
      for (const [where, address] of endpoints) {
        const header = `GET /healthz HTTP/1.1\r\n${"x: ".padEnd(1000, "y").concat("\r\n").repeat(20)}\r\n`
        assert.strictEqual(statusOf(yield* Effect.promise(() => exchange(address, header))), 431, where)
        const announced = "POST /reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n"
        assert.strictEqual(statusOf(yield* Effect.promise(() => exchange(address, announced, false))), 413, where)
        // Cut off, though its end never comes.
        const endless = `POST /reload HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n40000\r\n${"z".repeat(200_000)}`
        assert.include([0, 200, 404], statusOf(yield* Effect.promise(() => exchange(address, endless, false))), where)
        yield* Effect.promise(() => lives(address))
      }
    })
  )

  it.live("times are bounded: half a request, and a connection that says nothing, are cut off", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* listening(controlled(), { headerTime: 200, requestTime: 400, idleTime: 300 })
      for (const [, address] of endpoints) {
        for (const part of [
          "",
          "GET /healthz HT",
          "GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
          "POST /reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nab"
        ]) {
          yield* Effect.promise(() => exchange(address, part, false))
        }
        yield* Effect.promise(() => lives(address))
      }
    })
  )

  it.live("connections are bounded, and those past the bound end with the others", () =>
    Effect.gen(function* () {
      const { port, socket } = yield* listening(controlled(), { connections: 4 })
      const held = yield* Effect.promise(() => Promise.all(Array.from({ length: 4 }, () => opened(port))))
      assert.strictEqual(yield* Effect.promise(() => exchange(port, get("/healthz"))), "")
      yield* Effect.promise(() => lives(socket))
      for (const one of held) one.destroy()
      yield* Effect.promise(async () => {
        while ((await exchange(port, get("/healthz"))) === "");
        await lives(port)
      })
    })
  )
})
