/** Controlling a daemon: over its socket, and with the commands. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { rmSync, statSync, writeFileSync } from "node:fs"
import { mkdir, rename, writeFile } from "node:fs/promises"
import { get } from "node:http"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { ask } from "../../packages/daemon/src/control/client.ts"
import { readState } from "../../packages/daemon/src/keeper/stateFile.ts"
import { bickford, root } from "../mount/bickford.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { ended, run as runProcess } from "../mount/processes.ts"
import { bickfordCommand, mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

const freePort = Effect.promise(
  () =>
    new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const address = server.address()
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
)

const curl = (args: ReadonlyArray<string>) => runProcess("curl", ["-sS", "-o", "-", "-w", "%{http_code}", ...args])

describe("controlling a daemon", () => {
  it.live("restart under load: no call fails or hangs", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint)])
      const { run } = commandsOn(mountpoint)
      let { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      const enough = join(folder, "enough")
      const client = join(root, "test", "soak", "client.ts")
      const work = yield* Effect.forkChild(
        Effect.all(
          [0, 1].map((n) => run(process.execPath, [client, join(mountpoint, `${n}`), enough])),
          { concurrency: "unbounded" }
        )
      )
      for (let restarts = 0; restarts < 5; restarts++) {
        const { requests } = yield* Effect.promise(() => daemon.mount("data"))
        yield* Effect.promise(() =>
          until(async () => ((await daemon.mount("data")).requests > requests + 100 ? true : undefined), "work")
        )
        yield* Effect.promise(() => daemon.post("/mounts/data/restart"))
        const next = yield* Effect.promise(() => daemon.mount("data"))
        assert.strictEqual(next.state, "running")
        assert.notStrictEqual(next.pid, pid)
        pid = next.pid
      }
      yield* Effect.promise(() => writeFile(enough, ""))
      for (const output of yield* Fiber.join(work)) {
        const {
          calls,
          failed,
          wrong
        }: { readonly calls: number; readonly failed: number; readonly wrong: ReadonlyArray<string> } =
          JSON.parse(output)
        assert.deepStrictEqual([failed, wrong], [0, []])
        assert.isAbove(calls, 100)
      }
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).restarts, 0, "they were asked for")
    })
  )

  it.live("restart of what cannot be handed over: refused while it is in use", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", "memory:", mountpoint)])
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      const enough = join(folder, "enough")
      const holder = runProcess("sh", [
        "-c",
        'cd "$0" && touch here && until [ -e "$1" ]; do sleep 0.02; done',
        mountpoint,
        enough
      ])
      yield* Effect.promise(() =>
        until(
          async () => ((await daemon.mount("data")).operations["CREATE"]?.count === 1 ? true : undefined),
          "its user"
        )
      )
      const refused = yield* Effect.flip(ask(daemon.socket, "POST", "/mounts/data/restart"))
      assert.match(refused.message, /busy/)
      yield* Effect.promise(() => writeFile(enough, ""))
      yield* Effect.promise(() => holder)
      yield* Effect.promise(() => daemon.post("/mounts/data/restart"))
      const after = yield* Effect.promise(() => daemon.mount("data"))
      assert.strictEqual(after.state, "running")
      assert.notStrictEqual(after.pid, pid)
    })
  )

  it.live("restart from code that is broken: refused, and the worker that was there goes on", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "own.mjs")
      const good = `import { sqlite } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}; export const backend = sqlite(${JSON.stringify(join(folder, "store"))})`
      yield* Effect.promise(() => writeFile(module, good))
      const daemon = yield* startDaemon(folder, [mountConfig("data", `module:${module}`, mountpoint)])
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* Effect.promise(() => writeFile(module, `${good}; nonsense(`))
      const { message } = yield* Effect.flip(ask(daemon.socket, "POST", "/mounts/data/restart"))
      assert.match(message, /SyntaxError|Unexpected/)
      const after = yield* Effect.promise(() => daemon.mount("data"))
      assert.deepStrictEqual([after.pid, after.state, after.restarts], [pid, "running", 0])
    })
  )

  it.live(
    "restart from code that is broken, of what keeps nothing: refused, and nothing is lost, however it is broken",
    () =>
      Effect.gen(function* () {
        const folder = yield* workFolder
        const [mountpoint = "", shown = ""] = yield* mountpoints(2)
        const module = join(folder, "own.mjs")
        const served = join(folder, "served")
        yield* Effect.promise(() => mkdir(served))
        const imports = `import { memory } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}; import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}; `
        const write = (text: string) => Effect.promise(() => writeFile(module, `${imports}${text}`))
        yield* write("export const backend = memory()")
        const daemon = yield* startDaemon(folder, [
          mountConfig("data", `module:${module}`, mountpoint),
          mountConfig("shown", `passthrough:${served}`, shown)
        ])
        const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        yield* Effect.promise(() => daemon.reaches("shown", "running"))
        const { run } = commandsOn(mountpoint)
        yield* run("sh", ["-c", "echo precious > file"], { cwd: mountpoint })
        for (const [broken, reason] of [
          ["export const backend = memory(", /SyntaxError|Unexpected|missing/],
          ["throw new Error('at import')", /at import/],
          ["export const other = memory()", /does not export a backend/],
          ["export const backend = () => { throw new Error('in the function') }", /in the function/],
          ["export const backend = Effect.fail(new Error('no database'))", /no database/],
          ["export const backend = { ...memory(), init: () => Effect.fail(new Error('not agreed')) }", /not agreed/],
          ["export const backend = { ...memory(), interruptible: ['mkdir'] }", /mkdir cannot be interruptible/]
        ] as const) {
          yield* write(broken)
          assert.match((yield* Effect.flip(ask(daemon.socket, "POST", "/mounts/data/restart"))).message, reason, broken)
        }
        const after = yield* Effect.promise(() => daemon.mount("data"))
        assert.deepStrictEqual([after.pid, after.state, after.restarts], [pid, "running", 0])
        assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "precious\n")
        yield* Effect.promise(() => rename(served, `${served}-elsewhere`))
        assert.match((yield* Effect.flip(ask(daemon.socket, "POST", "/mounts/shown/restart"))).message, /served/)
        assert.strictEqual((yield* Effect.promise(() => daemon.mount("shown"))).state, "running")
        // A configuration that names the broken code changes nothing either.
        yield* Effect.promise(() =>
          daemon.configure([mountConfig("data", `module:${module}`, mountpoint, { options: ["noatime"] })])
        )
        assert.match(
          (yield* Effect.flip(ask(daemon.socket, "POST", "/reload"))).message,
          /mkdir cannot be interruptible/
        )
        assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).pid, pid)
        yield* write("export const backend = memory()")
        yield* Effect.promise(() => daemon.post("/mounts/data/restart"))
        assert.notStrictEqual((yield* Effect.promise(() => daemon.mount("data"))).pid, pid)
      })
  )

  it.live("the commands: status, restart, unmount", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const command = (...args: ReadonlyArray<string>) =>
        Effect.promise(() => bickford([...args, "--runtime-directory", dirname(daemon.socket)]))
      const text = yield* command("status")
      assert.strictEqual(text.status, 0, text.stderr)
      assert.include(text.stdout, `data  running  sqlite:${join(folder, "store")} at ${mountpoint}`)
      const json = JSON.parse((yield* command("status", "--json")).stdout)
      assert.strictEqual(json.pid, daemon.process.pid)
      assert.strictEqual((yield* command("restart", "data")).status, 0)
      assert.match((yield* command("top")).stdout, /^data +running +0 /m)
      const unknown = yield* command("restart", "dada")
      assert.strictEqual(unknown.status, 1)
      assert.match(unknown.stderr, /did you mean data/)
      const unmounted = yield* command("unmount", "data")
      assert.strictEqual(unmounted.status, 0, unmounted.stderr)
      assert.isUndefined(findMount(mountpoint))
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).state, "stopped")
      const restarted = yield* command("restart", "data")
      assert.strictEqual(restarted.status, 0, `it can be started again: ${restarted.stderr}`)
      assert.isDefined(findMount(mountpoint))
      yield* Effect.promise(daemon.stop)
      const absent = yield* command("status")
      assert.match(absent.stderr, /no daemon runs here/)
      assert.strictEqual(absent.status, 1)
    })
  )

  it.live("the socket is its user's own; the port has metrics and health alone", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const port = yield* freePort
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(
        folder,
        [
          mountConfig("data", "module:/nowhere.mjs", mountpoint, {
            restart: { intensity: 0, period: 1000, backoff: { initial: 1, max: 1 } }
          })
        ],
        port
      )
      assert.strictEqual(statSync(daemon.socket).mode & 0o777, 0o600)
      assert.strictEqual(statSync(dirname(daemon.socket)).mode & 0o777, 0o700)
      yield* Effect.promise(() => daemon.reaches("data", "failed"))
      const url = `http://127.0.0.1:${port}`
      assert.match(yield* Effect.promise(() => curl([`${url}/healthz`])), /data: failed: .*nowhere.*503$/s)
      assert.match(yield* Effect.promise(() => curl([`${url}/metrics`])), /200$/)
      assert.match(yield* Effect.promise(() => curl([`${url}/status`])), /404$/)
      assert.match(yield* Effect.promise(() => curl(["-X", "POST", `${url}/reload`])), /404$/)
      assert.match(
        yield* Effect.promise(() => curl(["--unix-socket", daemon.socket, "http://x/status"])),
        /"mounts":\[.*200$/s
      )
    })
  )

  it.live("the runtime directory was removed: it is made anew, and commands reach the daemon", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [place = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", "memory:", place)])
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      const directory = dirname(daemon.socket)
      rmSync(directory, { recursive: true })
      const isPrivate = () => ((statSync(daemon.socket, { throwIfNoEntry: false })?.mode ?? 0) & 0o777) === 0o600
      yield* Effect.promise(() => until(async () => (isPrivate() ? true : undefined), "another socket"))
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).pid, pid)
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      assert.strictEqual(readState(directory)?.mounts[0]?.device, findMount(place)?.device)
    })
  )

  it.live("restart from code that never finishes loading: refused after start_timeout, which is told meanwhile", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [place = ""] = yield* mountpoints(1)
      const module = join(folder, "backend.mjs")
      writeFileSync(module, "export const backend = { durable: true, getattr: () => { throw 5 } }")
      // A loaded machine may take several workers to serve within the time.
      const restart = { intensity: 1000, period: 60_000, backoff: { initial: 1, max: 10 } }
      const config = mountConfig("data", `module:${module}`, place, { startTimeout: 8000, restart })
      const daemon = yield* startDaemon(folder, [config])
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      writeFileSync(module, "await new Promise((resolve) => setInterval(resolve, 2 ** 30))")
      const directory = ["--runtime-directory", dirname(daemon.socket)]
      const { status, stderr } = yield* Effect.promise(() => bickford(["restart", ...directory, "data"]))
      assert.strictEqual(status, 1)
      assert.match(stderr, /data: waiting for the new worker/)
      assert.match(
        stderr,
        /data: the new code was not ready to serve within 8 s \(start_timeout\); what serves now goes on/
      )
      const after = yield* Effect.promise(() => daemon.mount("data"))
      assert.deepStrictEqual([after.state, after.pid], ["running", pid])
    })
  )

  it.live("bickford log: the wire log of a mount, until the daemon ends", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", "memory:", mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const [program = "", ...args] = bickfordCommand
      const log = spawn(program, [...args, "log", "data", "--runtime-directory", dirname(daemon.socket)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      let text = ""
      log.stdout.setEncoding("utf8").on("data", (part: string) => (text += part))
      yield* Effect.promise(() =>
        until(async () => {
          await runProcess("test", ["!", "-e", join(mountpoint, "missing")])
          return /"type":"reply".*"LOOKUP"/.test(text) ? true : undefined
        }, "a line")
      )
      yield* Effect.promise(daemon.stop)
      assert.strictEqual((yield* Effect.promise(() => ended(log))).status, 0)
    })
  )

  it.live("the wire log, a line for each request and reply, while it is looked at", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", "memory:", mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const lines = Effect.promise(
        () =>
          new Promise<string>((resolve, reject) => {
            const request = get({ socketPath: daemon.socket, path: "/mounts/data/log" }, (response) => {
              let text = ""
              response.setEncoding("utf8").on("data", (part: string) => {
                text += part
                if (!/"reply".*"MKDIR"/.test(text)) return
                request.destroy()
                resolve(text)
              })
              void runProcess("mkdir", [join(mountpoint, "folder")]).catch(reject)
            })
          })
      )
      assert.match(yield* lines, /"type":"request".*"MKDIR".*"name":"folder"/)
    })
  )
})
