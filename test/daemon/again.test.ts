/** The keeper's own death, and its changes of mind: what the next one finds, and what a reload leaves alone. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { askStatus } from "../../packages/daemon/src/control/client.ts"
import { socketIn } from "../../packages/daemon/src/control/runtimeDirectory.ts"
import { bickford, root, start } from "../mount/bickford.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { attempt, ended } from "../mount/processes.ts"
import { farewellMilliseconds } from "../patience.ts"
import { daemonCommand, mountConfig, mountpoints, startDaemon, toml, until, workFolder } from "./daemon.ts"

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("a daemon that", () => {
  it.live("was killed: its workers end, the next one mounts again what was its own, and touches nothing else", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = "", other = ""] = yield* mountpoints(2)
      const mounts = [mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint)]
      const first = yield* startDaemon(folder, mounts)
      const { pid: worker } = yield* Effect.promise(() => first.reaches("data", "running"))
      const { run } = commandsOn(mountpoint)
      yield* run("sh", ["-c", "echo text > file"], { cwd: mountpoint })
      const stranger = yield* Effect.promise(() => start(other))
      stranger.server.kill("SIGKILL")
      yield* Effect.promise(stranger.end)
      first.process.kill("SIGKILL")
      yield* Effect.promise(() => ended(first.process))
      yield* Effect.promise(() =>
        until(async () => (worker === undefined || !isAlive(worker) ? true : undefined), "the worker's end")
      )
      assert.match((yield* Effect.promise(() => attempt("stat", [mountpoint]))).stderr, /not connected/)
      const second = yield* startDaemon(folder, mounts)
      yield* Effect.promise(() => second.reaches("data", "running"))
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "text\n")
      assert.match((yield* Effect.promise(() => attempt("stat", [other]))).stderr, /not connected/)
      yield* Effect.promise(() => bickford(["unmount", other]))
    })
  )

  it.live("runs: another one for the same mounts is refused", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const first = yield* startDaemon(folder, [mountConfig("data", "memory:", mountpoint)])
      yield* Effect.promise(() => first.reaches("data", "running"))
      const [program = "", ...args] = daemonCommand(join(folder, "bickford.toml"))
      const second = yield* Effect.promise(() => attempt(program, args))
      assert.strictEqual(second.status, 1)
      assert.include(second.stderr, `process ${first.process.pid}`)
      assert.strictEqual((yield* Effect.promise(() => first.mount("data"))).state, "running")
    })
  )

  it.live("is told of another configuration: what it leaves as it is stays mounted", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [stays = "", changes = "", goes = "", comes = ""] = yield* mountpoints(4)
      const same = mountConfig("stays", "memory:", stays)
      const daemon = yield* startDaemon(folder, [
        same,
        mountConfig("changes", "memory:", changes),
        mountConfig("goes", "memory:", goes)
      ])
      for (const name of ["stays", "changes", "goes"]) yield* Effect.promise(() => daemon.reaches(name, "running"))
      const { pid } = yield* Effect.promise(() => daemon.mount("stays"))
      yield* Effect.promise(() =>
        daemon.configure([
          same,
          mountConfig("changes", "memory:", changes, { options: ["ro", "noexec,noatime"] }),
          mountConfig("comes", "memory:", comes)
        ])
      )
      daemon.process.kill("SIGHUP")
      yield* Effect.promise(() =>
        until(
          async () => ((await daemon.status()).some(({ name }) => name === "comes") ? true : undefined),
          "the new mount"
        )
      )
      yield* Effect.promise(() => daemon.reaches("comes", "running"))
      yield* Effect.promise(() => daemon.reaches("changes", "running"))
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("stays"))).pid, pid)
      assert.isUndefined(findMount(goes))
      assert.match(findMount(changes)?.options ?? "", /^ro,nosuid,nodev,noexec,noatime$/)
      yield* Effect.promise(() => writeFile(join(folder, "bickford.toml"), "["))
      daemon.process.kill("SIGHUP")
      yield* Effect.promise(() =>
        until(
          async () => (daemon.log().includes("reload: ") && daemon.log().includes("Invalid TOML") ? true : undefined),
          "a line in the log"
        )
      )
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("stays"))).pid, pid)
    })
  )

  it.live("is killed under a service manager: the next one takes its connections back, and open files stay open", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = "", lost = ""] = yield* mountpoints(2)
      const runtimeDirectory = join(folder, "run")
      const file = join(folder, "bickford.toml")
      yield* Effect.promise(() => mkdir(runtimeDirectory))
      const mounts = [
        mountConfig("my:data", `sqlite:${join(folder, "store")}`, mountpoint),
        mountConfig("lost", "memory:", lost)
      ]
      yield* Effect.promise(() => writeFile(file, toml(runtimeDirectory, mounts)))
      const interpreter = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
        encoding: "utf8"
      }).trim()
      const told: Array<string> = []
      const manager = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const child = spawn(
            interpreter,
            [join(root, "test", "daemon", "programs", "manager.py"), join(folder, "notify"), ...daemonCommand(file)],
            { stdio: ["pipe", "pipe", "inherit"] }
          )
          let rest = ""
          child.stdout.setEncoding("utf8").on("data", (text: string) => {
            const lines = (rest + text).split("\n")
            rest = lines.pop() ?? ""
            told.push(...lines.map((line): string => JSON.parse(line)))
          })
          return child
        }),
        (child) =>
          Effect.promise(async () => {
            child.stdin.end()
            const late = setTimeout(() => child.kill("SIGKILL"), farewellMilliseconds)
            await ended(child)
            clearTimeout(late)
          })
      )
      const hears = (wanted: RegExp, times = 1) =>
        Effect.promise(() =>
          until(
            async () => (told.filter((message) => wanted.test(message)).length >= times ? true : undefined),
            `${wanted} ${times} times, of ${told.join("; ")}`
          )
        )
      yield* hears(/^READY=1\nSTATUS=2 of 2 mounts are served$/)
      yield* hears(/^FDSTORE=1\nFDNAME=my%3Adata$/)
      yield* hears(/^WATCHDOG=1$/, 3)
      const device = findMount(mountpoint)?.device
      const { run } = commandsOn(mountpoint)
      // Writes what it is told, into a file that it opened before.
      const writer = spawn(
        "sh",
        ["-c", 'exec > "$0/file"; echo open >&2; while read line; do echo $line; echo done >&2; done', mountpoint],
        { stdio: ["pipe", "ignore", "pipe"] }
      )
      let done = ""
      writer.stderr.setEncoding("utf8").on("data", (text: string) => (done += text))
      const writes = (line: string) =>
        Effect.promise(async () => {
          const before = done.length
          writer.stdin.write(`${line}\n`)
          await until(async () => (done.length > before ? true : undefined), `writing ${line}`)
        })
      yield* Effect.promise(() => until(async () => (done === "open\n" ? true : undefined), "an open file"))
      yield* writes("one")
      const { pid } = yield* askStatus(socketIn(runtimeDirectory))
      manager.stdin.write("again\n")
      yield* hears(/^READY=1/, 2)
      assert.notStrictEqual((yield* askStatus(socketIn(runtimeDirectory))).pid, pid)
      yield* writes("two")
      writer.stdin.end()
      assert.strictEqual((yield* Effect.promise(() => ended(writer))).status, 0)
      assert.strictEqual(findMount(mountpoint)?.device, device)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "one\ntwo\n")
      assert.strictEqual(yield* run("ls", ["-A", lost]), "", "what is not durable is there again, empty")
      manager.stdin.end()
      assert.deepStrictEqual(
        yield* Effect.promise(() => ended(manager)),
        { status: 0, signal: null },
        "it is told to hold nothing any more"
      )
      yield* hears(/^STOPPING=1/)
      assert.isUndefined(findMount(mountpoint))
    })
  )
})
