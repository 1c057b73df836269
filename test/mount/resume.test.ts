/**
 * A server is killed with SIGKILL while programs work on its mount, again and again: the next takes the
 * connection over, and the programs notice nothing.
 */
import { assert, it } from "@effect/vitest"
import type { ConnectionRecord } from "@bickford/session"
import { fd, mountDevice, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { commandsOn, mountpointFolder } from "./inProcess.ts"
import { ended } from "./processes.ts"

const kills = 20
const program = join(root, "test", "mount", "programs", "resumable.ts")
const client = join(root, "test", "soak", "client.ts")

interface Report {
  readonly calls: number
  readonly failed: number
  readonly slowest: number
  readonly wrong: ReadonlyArray<string>
}

const isRecord = (message: unknown): message is ConnectionRecord => typeof message === "object" && message !== null && "negotiated" in message

it.live(`a server that is killed ${kills} times: no call fails, and none is done twice`, () =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-store-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true }))
    )
    const mountpoint = yield* mountpointFolder
    const commands = commandsOn(mountpoint)
    const device = yield* mountDevice({ mountpoint, subtype: "bickford", allowOther: true, defaultPermissions: true })
    const descriptor = fd(device.handle)
    if (descriptor === undefined) return assert.fail("the device is closed")
    let record: ConnectionRecord | undefined
    let server: ChildProcess | undefined

    const start = Effect.promise(async () => {
      const started = spawn(process.execPath, ["--conditions=development", "--disable-warning=ExperimentalWarning", program, join(folder, "store")], {
        stdio: ["ignore", "inherit", "inherit", "ipc", descriptor]
      })
      server = started
      await new Promise<void>((resolve, reject) => {
        started.on("message", (message) => {
          if (isRecord(message)) record = message
          if (message === "serving") resolve()
        })
        started.once("exit", (status, signal) => reject(new Error(`the server ended with ${signal ?? status}`)))
        started.send({ resume: record })
      })
    })
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        server?.kill("SIGKILL")
        if (server !== undefined) await ended(server)
      })
    )

    yield* start
    const seconds = kills * 0.7
    const work = yield* Effect.forkChild(Effect.all(
      [0, 1, 2].map((n) =>
        commands.run(process.execPath, [client, join(mountpoint, `client${n}`), String(seconds)], { timeoutMilliseconds: seconds * 1000 + 60_000 })
      ),
      { concurrency: "unbounded" }
    ))
    for (let i = 0; i < kills; i++) {
      // Long enough for some work to have begun; where in it the blow falls is chance.
      yield* Effect.sleep(50 + Math.random() * 400)
      server?.kill("SIGKILL")
      if (server !== undefined) yield* Effect.promise(() => ended(server as ChildProcess))
      yield* start
    }
    const reports = (yield* Fiber.join(work)).map((output): Report => JSON.parse(output))
    assert.deepStrictEqual(reports.flatMap(({ wrong }) => wrong), [])
    assert.strictEqual(reports.reduce((sum, { failed }) => sum + failed, 0), 0, "no call fails")
    assert.isAbove(reports.reduce((sum, { calls }) => sum + calls, 0), 1000)
    assert.strictEqual(yield* commands.run("ls", ["-A", mountpoint]), "", "every name is as its calls returned")
    yield* unmountDevice(device)
    if (server !== undefined) assert.deepStrictEqual(yield* Effect.promise(() => ended(server as ChildProcess)), { status: 0, signal: null })
  }), { timeout: 180_000 })
