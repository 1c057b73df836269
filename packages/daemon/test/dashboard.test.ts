/** Who may read the page's parts, and who may act: by the socket, by the port, with and without the token, through the tunnel. */
import { assert, describe, it } from "@effect/vitest"
import { printable } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { get as httpGet, request, type IncomingMessage } from "node:http"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { visible } from "../../dashboard/src/page/visible.ts"
import { commandError } from "../src/CommandError.ts"
import { serveControl } from "../src/control/server.ts"
import type { MountStatus, StatusReport } from "../src/control/StatusReport.ts"
import { openTunnel } from "../src/dashboard/tunnel.ts"
import { noNumbers } from "../src/metrics/numbers.ts"

const name = 'a<script>"\u202e\n'

const mount: MountStatus = {
  ...noNumbers,
  name,
  source: "memory:",
  mountpoint: "/m",
  state: "running",
  since: 0,
  mountedAt: 0,
  restarts: 0,
  history: [],
  requests: 7,
  operations: {}
}
const report: StatusReport = { version: "1", pid: 1, startedAt: 0, rss: 0, heapUsed: 0, mounts: [mount] }

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** A daemon's endpoints, whose mounts cannot be found: an action that is let through is answered with 404. */
const listening = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-dashboard-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const socketPath = join(folder, "control.sock")
  const port = yield* freePort
  yield* serveControl(socketPath, port, {
    keeper: {
      report: () => report,
      counts: () => new Map([[name, mount]]),
      mount: (asked) => Effect.fail(commandError(`no mount is called ${asked}`))
    },
    reload: Effect.fail(commandError("nothing is reloaded")),
    metrics: () => "metrics 1\n",
    restore: Effect.void
  })
  return { socketPath, port }
})

type Where = { readonly socketPath: string } | { readonly port: number }

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

const asked = (
  where: Where,
  path: string,
  method: "GET" | "POST" = "GET",
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<Answer> =>
  Effect.promise(
    () =>
      new Promise((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", ...where, path, method, headers, agent: false }, (response) => {
          let body = ""
          response.setEncoding("utf8").on("data", (text: string) => (body += text))
          response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        })
        sent.once("error", reject)
        sent.end()
      })
  )

/** What the events begin with: `history`, perhaps `mount`, and the first `report`. */
const firstEvents = (where: Where, path: string, headers: { readonly [name: string]: string } = {}) =>
  Effect.promise(
    () =>
      new Promise<ReadonlyMap<string, unknown>>((resolve, reject) => {
        const sent = httpGet({ host: "127.0.0.1", ...where, path, headers, agent: false }, (response) => {
          let text = ""
          response.setEncoding("utf8").on("data", (part: string) => {
            text += part
            const blocks = text.split("\n\n").slice(0, -1)
            if (!blocks.some((block) => block.startsWith("event: report"))) return
            sent.destroy()
            const parsed = blocks.map((block) => {
              const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
              return [event, JSON.parse(data)] as const
            })
            resolve(new Map(parsed))
          })
        })
        sent.once("error", reject)
      })
  )

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const unmount = `/mounts/${encodeURIComponent(name)}/unmount`
const log = `/mounts/${encodeURIComponent(name)}/log`

describe("the dashboard", () => {
  it.live("is read by everybody on this machine; only the socket and the token act, or read the calls", () =>
    Effect.gen(function* () {
      const { port, socketPath } = yield* listening
      const { token } = JSON.parse((yield* asked({ socketPath }, "/token")).body)
      const refused = [
        [unmount, "POST"],
        [log, "GET"],
        ["/reload", "POST"],
        ["/status", "GET"],
        ["/token", "GET"]
      ] as const
      for (const [path, method] of refused) {
        assert.strictEqual((yield* asked({ port }, path, method)).status, 404, `${path}, no token`)
        const wrong = yield* asked({ port }, path, method, bearer(token.replace(/.$/, "x")))
        assert.strictEqual(wrong.status, 404, `${path}, another token`)
      }
      // The mount is looked for, and not found.
      for (const where of [{ socketPath }, { port }])
        assert.match((yield* asked(where, unmount, "POST", bearer(token))).body, /no mount is called/)
      assert.strictEqual((yield* asked({ port }, "/token", "GET", bearer(token))).status, 404)
      const open = yield* firstEvents({ port }, "/events")
      assert.include(open.get("report"), { mayAct: false })
      const acting = yield* firstEvents({ port }, "/events", bearer(token))
      assert.include(acting.get("report"), { mayAct: true })
    })
  )

  it.live("answers nobody who came by another name: a page elsewhere whose name leads here", () =>
    Effect.gen(function* () {
      const { port } = yield* listening
      for (const path of ["/", "/events", "/page/main.ts"]) {
        assert.strictEqual((yield* asked({ port }, path, "GET", { host: "evil.example" })).status, 421, path)
      }
      assert.strictEqual((yield* asked({ port }, "/metrics", "GET", { host: "collector" })).status, 200)
    })
  )

  it.live("consists of files that load nothing from elsewhere and run nothing inline", () =>
    Effect.gen(function* () {
      const { port } = yield* listening
      const page = yield* asked({ port }, "/")
      assert.match(
        String(page.headers["content-security-policy"]),
        /^default-src 'none'; script-src 'self'; style-src 'self'; /
      )
      assert.notMatch(page.body, /\bon\w+=|style=|<script>|https?:/)
      const queue = Array.from(page.body.matchAll(/(?:src|href)="(page\/[^"]+)"/g), ([, file = ""]) => file)
      const seen = new Set<string>()
      for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
        if (seen.has(file)) continue
        seen.add(file)
        const { body, headers, status } = yield* asked({ port }, `/${file}`)
        assert.strictEqual(status, 200, file)
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        for (const [, next = ""] of body.matchAll(/from "\.\/([^"]+)"/g)) queue.push(`page/${next}`)
      }
      assert.isAbove(seen.size, 5)
      for (const path of ["/page/..%2findex.ts", "/page/constructor", "/page/main", "/page/x/y"])
        assert.strictEqual((yield* asked({ port }, path)).status, 404, path)
    })
  )

  it.live("hears history and reports; of the mount that it looks at, everything", () =>
    Effect.gen(function* () {
      const { socketPath } = yield* listening
      const events = yield* firstEvents({ socketPath }, `/events?mount=${encodeURIComponent(name)}`)
      assert.deepStrictEqual(Array.from(events.keys()), ["history", "mount", "report"])
      assert.include(events.get("mount"), { name, requests: 7 })
    })
  )

  it.live("is reached through a tunnel, with the tunnel's token alone", () =>
    Effect.gen(function* () {
      const { socketPath } = yield* listening
      const { port, token } = yield* openTunnel(socketPath, 0)
      assert.strictEqual((yield* asked({ port }, "/")).status, 200)
      for (const path of ["/events", "/metrics", "/status", log])
        assert.strictEqual((yield* asked({ port }, path)).status, 401, path)
      assert.strictEqual(
        (yield* asked({ port }, "/status", "GET", { ...bearer(token), host: "evil.example" })).status,
        421
      )
      assert.strictEqual((yield* asked({ port }, "/status", "GET", bearer(token))).status, 200)
      assert.match((yield* asked({ port }, unmount, "POST", bearer(token))).body, /no mount is called/)
      const events = yield* firstEvents({ port }, "/events", bearer(token))
      assert.include(events.get("report"), { mayAct: true })
    })
  )

  it("shows text as the terminal does", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.strictEqual(visible(text), printable(text))))
    assert.strictEqual(visible(name), printable(name))
  })
})
