/** The keeper on the real kernel: workers die in every way, and the mounts stay, or go cleanly. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { commandsOn } from "../mount/inProcess.ts"
import { run as runProcess } from "../mount/processes.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

const begin = Effect.fnUntraced(function* (
  source: (folder: string) => string,
  other: Parameters<typeof mountConfig>[3] = {}
) {
  const folder = yield* workFolder
  const [mountpoint = ""] = yield* mountpoints(1)
  const daemon = yield* startDaemon(folder, [mountConfig("data", source(folder), mountpoint, other)])
  return { daemon, folder, mountpoint, ...commandsOn(mountpoint) }
})

const store = (folder: string): string => `sqlite:${join(folder, "store")}`

/** Kills a mount's worker and waits for the next one to serve. */
const killWorker = (daemon: Effect.Success<ReturnType<typeof begin>>["daemon"]) =>
  Effect.promise(async () => {
    const { pid } = await daemon.reaches("data", "running")
    assert.isDefined(pid)
    if (pid !== undefined) process.kill(pid, "SIGKILL")
    await until(async () => {
      const now = await daemon.mount("data")
      return now.state === "running" && now.pid !== pid ? true : undefined
    }, `another worker than ${pid}`)
  })

/** What a module's code does to the channel, once; and why that ends its worker, where it does. */
const attacks: ReadonlyArray<{ readonly name: string; readonly attack: string; readonly cause?: RegExp }> = [
  { name: "what Node's IPC takes for its own", attack: `write(Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\\n'))` },
  { name: "a line that is not JSON", attack: `write(Buffer.from("no JSON\\n"))` },
  { name: "bytes that are no text", attack: "write(Buffer.from([0, 255, 254, 0, 128, 10, 192, 10]))" },
  { name: "a line of 2 MiB", attack: "write(Buffer.alloc(2 ** 21, 120))", cause: /a line of more than 1048576 bytes/ },
  { name: "half a line", attack: `write(Buffer.from('{"type":')); process.exit(3)`, cause: /exited with status 3/ },
  { name: "its end", attack: "closeSync(3)", cause: /closed its channel|exited|killed by/ }
]

describe("a daemon", () => {
  it.live("a worker that is killed: the next serves on, and open files stay open", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint, run } = yield* begin(store)
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const device = findMount(mountpoint)?.device
      yield* run("sh", ["-c", "echo one > file; mkdir folder"], { cwd: mountpoint })
      yield* killWorker(daemon)
      yield* run("sh", ["-c", "echo two >> file"], { cwd: mountpoint })
      yield* killWorker(daemon)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "one\ntwo\n")
      assert.strictEqual(findMount(mountpoint)?.device, device, "the same connection")
      const status = yield* Effect.promise(() => daemon.mount("data"))
      assert.strictEqual(status.restarts, 2)
      assert.match(status.lastCause ?? "", /SIGKILL/)
      assert.deepStrictEqual(yield* Effect.promise(daemon.stop), { status: 0, signal: null })
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live(
    "where no request is delivered again: calls in flight fail, the store is mounted anew, and the status says why",
    () =>
      Effect.gen(function* () {
        const { daemon, mountpoint, run } = yield* begin(store, { options: ["no_resend"] })
        yield* Effect.promise(() => daemon.reaches("data", "running"))
        yield* run("sh", ["-c", "echo kept > file; sync file"], { cwd: mountpoint })
        const { mountedAt } = yield* Effect.promise(() => daemon.mount("data"))
        const reader = yield* Effect.forkChild(
          run("sh", ["-c", "while stat file > /dev/null 2>&1; do :; done; echo ended"], { cwd: mountpoint })
        )
        yield* killWorker(daemon)
        assert.strictEqual(yield* Fiber.join(reader), "ended\n", "nobody hangs")
        const status = yield* Effect.promise(() => daemon.mount("data"))
        assert.isAbove(status.mountedAt, mountedAt)
        assert.match(status.lastCause ?? "", /SIGKILL.*; no request is delivered again here.*: mounted anew/)
        assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "kept\n")
      })
  )

  it.live("a backend that is not durable: its mount is another one, and empty", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint, run } = yield* begin(() => "memory:")
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* run("touch", [join(mountpoint, "file")])
      const { mountedAt } = yield* Effect.promise(() => daemon.mount("data"))
      yield* killWorker(daemon)
      assert.isAbove((yield* Effect.promise(() => daemon.mount("data"))).mountedAt, mountedAt)
      assert.strictEqual(yield* run("ls", ["-A", mountpoint]), "")
    })
  )

  it.live("a folder of the machine's own: mounted anew, with what is in it; and a program's output goes on", () =>
    Effect.gen(function* () {
      const { daemon, folder, mountpoint, run } = yield* begin((folder) => `passthrough:${folder}`)
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      // As small files are made with O_EXCL, the next such ones are written through the worker: no output is.
      yield* run("sh", ["-Cc", ': >"$1" && : >"$2"', "sh", join(mountpoint, "one"), join(mountpoint, "two")])
      const go = join(folder, "go")
      const output = join(folder, "output")
      const writer = yield* Effect.forkChild(
        run("sh", [
          "-c",
          '(echo before; until [ -e "$2" ]; do sleep 0.02; done; echo after) >"$1"',
          "sh",
          join(mountpoint, "output"),
          go
        ])
      )
      yield* Effect.promise(() =>
        until(
          async () => ((await readFile(output, "utf8").catch(() => "")) === "before\n" ? true : undefined),
          "the first line"
        )
      )
      yield* killWorker(daemon)
      assert.include(yield* run("ls", ["-A", mountpoint]), "one")
      yield* Effect.promise(() => writeFile(go, ""))
      yield* Fiber.join(writer)
      assert.strictEqual(yield* Effect.promise(() => readFile(output, "utf8")), "before\nafter\n")
    })
  )

  it.live("the same with when_lost unmount: no mount, and no dead one", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint } = yield* begin(() => "memory:", { whenLost: "unmount" })
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      if (pid !== undefined) process.kill(pid, "SIGKILL")
      const { lastCause } = yield* Effect.promise(() => daemon.reaches("data", "stopped"))
      assert.match(lastCause ?? "", /SIGKILL.*lost.*unmounted/)
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live(
    "a forced unmount of what is busy: its connection is aborted, the mount is still there, and is made anew",
    () =>
      Effect.gen(function* () {
        const { attempt, daemon, mountpoint, run } = yield* begin(store)
        const { mountedAt } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        yield* run("sh", ["-c", "echo kept > file; sync file"], { cwd: mountpoint })
        // The kernel tells the server of this abort as of an unmount (ENODEV).
        const forced = yield* attempt("umount", ["-f", mountpoint], { cwd: mountpoint })
        assert.match(forced.stderr, /busy/)
        const anew = yield* Effect.promise(() =>
          until(async () => {
            const now = await daemon.mount("data")
            if (now.state === "stopped") throw new Error(`stopped; mounted: ${findMount(mountpoint)?.source}`)
            return now.state === "running" && now.mountedAt > mountedAt ? now : undefined
          }, "another mount")
        )
        assert.strictEqual(anew.lastCause, "the connection was aborted")
        assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "kept\n")
      })
  )

  it.live("a worker that exits at once every time: unmounted, and status says why", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "exits.mjs")
      yield* Effect.promise(() => writeFile(module, "process.exit(3)"))
      const daemon = yield* startDaemon(folder, [
        mountConfig("data", `module:${module}`, mountpoint, {
          restart: { intensity: 2, period: 60_000, backoff: { initial: 10, max: 10 } }
        })
      ])
      const { history, lastCause, restarts } = yield* Effect.promise(() => daemon.reaches("data", "failed"))
      assert.match(lastCause ?? "", /more than 2 restarts within 60 s.*status 3/)
      assert.strictEqual(restarts, 2)
      assert.strictEqual(history.length, 3)
      assert.isUndefined(findMount(mountpoint))
      assert.deepStrictEqual(yield* Effect.promise(daemon.stop), { status: 0, signal: null })
    })
  )

  it.live(
    "a module imports the bickford that runs, wherever it lies; what it throws is in the status with file and line",
    () =>
      Effect.gen(function* () {
        const folder = yield* workFolder
        const [served = "", broken = ""] = yield* mountpoints(2)
        const write = (name: string, text: string) => Effect.promise(() => writeFile(join(folder, name), text))
        yield* write(
          "served.ts",
          `import { memory, type MemoryOptions } from "bickford"\nconst options: MemoryOptions = {}\nexport const backend = memory(options)\n`
        )
        yield* write("broken.ts", `import { memory } from "bickford"\n\nthrow new RangeError(typeof memory)\n`)
        const restart = { intensity: 0, period: 1000, backoff: { initial: 1, max: 1 } }
        const daemon = yield* startDaemon(folder, [
          mountConfig("served", `module:${join(folder, "served.ts")}`, served),
          mountConfig("broken", `module:${join(folder, "broken.ts")}`, broken, { restart })
        ])
        yield* Effect.promise(() => daemon.reaches("served", "running"))
        const { lastCause } = yield* Effect.promise(() => daemon.reaches("broken", "failed"))
        assert.include(lastCause ?? "", `RangeError: function, at ${join(folder, "broken.ts")}:3:7`)
      })
  )

  it.live("a worker whose code throws out of turn: status says what", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "throws.mjs")
      const go = join(folder, "go")
      yield* Effect.promise(() =>
        writeFile(
          module,
          `
        import { memory } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}
        import { existsSync } from "node:fs"
        setInterval(() => { if (existsSync(${JSON.stringify(go)})) throw new Error("thought of too late") }, 20)
        export const backend = () => memory()
      `
        )
      )
      const daemon = yield* startDaemon(folder, [
        mountConfig("data", `module:${module}`, mountpoint, { whenLost: "unmount" })
      ])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* Effect.promise(() => writeFile(go, ""))
      const { lastCause } = yield* Effect.promise(() => daemon.reaches("data", "stopped"))
      assert.match(lastCause ?? "", /^thought of too late \(the worker exited with status 1\)/)
    })
  )

  it.live("a worker that sends the keeper what is no message: not heard, and both live", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "babbles.mjs")
      yield* Effect.promise(() =>
        writeFile(
          module,
          `
        import { memory } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}
        import { writeSync } from "node:fs"
        for (const said of [null, 0, "beat", [], {}, { type: null }, { type: "toString" }, { type: "beat" }, { type: "beat", numbers: { operations: { X: null } } },
          { type: "ended", reason: "bored" }, { type: "negotiated" }, { type: "failed" }, { type: "line" }]) writeSync(3, JSON.stringify(said) + "\\n")
        export const backend = memory()
      `
        )
      )
      const daemon = yield* startDaemon(folder, [mountConfig("data", `module:${module}`, mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* commandsOn(mountpoint).run("touch", [join(mountpoint, "file")])
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).restarts, 0)
      assert.strictEqual(daemon.log().split("not a message").length, 2, "logged once")
      process.kill((yield* Effect.promise(() => daemon.mount("data"))).pid ?? 0, "SIGKILL")
      const isRestarted = async (): Promise<true | undefined> =>
        daemon.log().includes("is restarted") ? true : undefined
      yield* Effect.promise(() => until(isRestarted, "the restart's line"))
      for (const line of daemon.log().split("\n")) {
        if (/^timestamp=.*(not a message|is restarted)/.test(line)) assert.match(line, / mount=data$/)
      }
    })
  )

  for (const { attack, cause, name } of attacks) {
    it.live(`a worker that breaks its channel (${name}): the keeper and its other mounts go on`, () =>
      Effect.gen(function* () {
        const folder = yield* workFolder
        const [good = "", bad = ""] = yield* mountpoints(2)
        const module = join(folder, "attacks.mjs")
        const go = join(folder, "go")
        yield* Effect.promise(() =>
          writeFile(
            module,
            `
          import { memory } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}
          import { closeSync, existsSync, renameSync, writeSync } from "node:fs"
          const write = (bytes) => {
            for (let at = 0; at < bytes.length;) {
              try {
                at += writeSync(3, bytes, at)
              } catch (error) {
                if (error.code !== "EAGAIN") throw error
              }
            }
          }
          const timer = setInterval(() => {
            if (!existsSync(${JSON.stringify(go)})) return
            clearInterval(timer)
            renameSync(${JSON.stringify(go)}, ${JSON.stringify(`${go}ne`)})
            ${attack}
          }, 20)
          export const backend = () => memory()
        `
          )
        )
        const daemon = yield* startDaemon(folder, [
          mountConfig("good", "memory:", good),
          mountConfig("bad", `module:${module}`, bad)
        ])
        const { pid } = yield* Effect.promise(() => daemon.reaches("good", "running"))
        yield* commandsOn(good).run("sh", ["-c", "echo kept > file"], { cwd: good })
        yield* Effect.promise(() => daemon.reaches("bad", "running"))
        yield* Effect.promise(() => writeFile(go, ""))
        yield* Effect.promise(() =>
          until(async () => {
            if (daemon.process.exitCode !== null) throw new Error(`the keeper ended: ${daemon.log()}`)
            const { lastCause, restarts, state } = await daemon.mount("bad")
            return (cause === undefined
              ? /not a message/.test(daemon.log())
              : restarts === 1 && cause.test(lastCause ?? "")) && state === "running"
              ? true
              : undefined
          }, `the keeper hears of it: ${name}`)
        )
        assert.strictEqual(yield* commandsOn(good).run("cat", [join(good, "file")]), "kept\n")
        yield* commandsOn(bad).run("touch", [join(bad, "file")])
        const after = yield* Effect.promise(() => daemon.mount("good"))
        assert.deepStrictEqual([after.pid, after.restarts], [pid, 0])
      })
    )
  }

  it.live("signals that mean nothing to it: a daemon and its worker live, and no inspector listens", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint, run } = yield* begin(store)
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      const sockets = Effect.promise(() => readFile(`/proc/${daemon.process.pid}/net/tcp`, "utf8"))
      const inspectors = Effect.map(
        sockets,
        (text) => text.split("\n").filter((line) => /:240D 00000000:0000 0A/.test(line)).length
      )
      const before = yield* inspectors
      for (const signal of ["SIGUSR1", "SIGUSR2", "SIGIO"] as const) {
        daemon.process.kill(signal)
        if (pid !== undefined) process.kill(pid, signal)
        yield* Effect.promise(() =>
          until(
            async () => (daemon.log().includes(`${signal} means nothing`) ? true : undefined),
            `${signal} in the log`
          )
        )
      }
      yield* run("touch", [join(mountpoint, "file")])
      const after = yield* Effect.promise(() => daemon.mount("data"))
      assert.deepStrictEqual([after.pid, after.restarts], [pid, 0])
      assert.strictEqual(yield* inspectors, before)
      assert.notMatch(daemon.log(), /Debugger/)
    })
  )

  it.live("a state file that cannot be written is a line in the log, and not the end of the mounts", () =>
    Effect.gen(function* () {
      const { daemon, folder, mountpoint, run } = yield* begin(store)
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      // A directory in its place, which no rename of a file replaces.
      yield* Effect.promise(() =>
        runProcess("sh", ["-c", "rm -f state.json && mkdir state.json"], { cwd: join(folder, "run") })
      )
      yield* killWorker(daemon)
      yield* run("touch", [join(mountpoint, "file")])
      yield* Effect.promise(() =>
        until(async () => (daemon.log().includes("could not be written") ? true : undefined), "a line in the log")
      )
    })
  )

  it.live("a worker that blocks its event loop is killed and replaced", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "blocks.mjs")
      const go = join(folder, "go")
      yield* Effect.promise(() =>
        writeFile(
          module,
          `
        import { memory } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}
        import { existsSync, rmSync } from "node:fs"
        const go = ${JSON.stringify(go)}
        setInterval(() => {
          if (!existsSync(go)) return
          rmSync(go)
          for (;;);
        }, 20)
        export const backend = () => memory()
      `
        )
      )
      const daemon = yield* startDaemon(folder, [
        mountConfig("data", `module:${module}`, mountpoint, { heartbeat: 1000 })
      ])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* Effect.promise(() => writeFile(go, ""))
      yield* Effect.promise(() =>
        until(async () => ((await daemon.mount("data")).restarts > 0 ? true : undefined), "a restart")
      )
      const { lastCause } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      assert.match(lastCause ?? "", /did not answer for 1 s and was killed/)
    })
  )

  it.live("a keeper that was stopped itself for longer than the heartbeat: its workers stay, and what they hold", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint, run } = yield* begin(() => "memory:", { heartbeat: 6000 })
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* run("sh", ["-c", "echo precious > file"], { cwd: mountpoint })
      for (let n = 0; n < 2; n++) {
        daemon.process.kill("SIGSTOP")
        // The worker serves meanwhile.
        yield* run("sh", ["-c", "sleep 8; cat file"], { cwd: mountpoint })
        daemon.process.kill("SIGCONT")
      }
      // Two beats are time enough for a keeper to be wrong.
      const { requests } = yield* Effect.promise(() => daemon.mount("data"))
      yield* run("touch", [join(mountpoint, "another")])
      yield* Effect.promise(() =>
        until(async () => ((await daemon.mount("data")).requests > requests ? true : undefined), "a beat")
      )
      const after = yield* Effect.promise(() => daemon.mount("data"))
      assert.deepStrictEqual([after.pid, after.restarts, after.state], [pid, 0, "running"])
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "precious\n")
    })
  )

  it.live("SIGTERM while it is busy: nothing stays mounted, and nobody hangs", () =>
    Effect.gen(function* () {
      const { daemon, mountpoint, run } = yield* begin(store)
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const enough = `${mountpoint}.enough`
      yield* Effect.addFinalizer(() => Effect.promise(() => rm(enough, { force: true })))
      const script = 'cd "$0" && echo x > file && until [ -e "$1" ]; do sleep 0.02; done'
      const busy = yield* Effect.forkChild(run("sh", ["-c", script, mountpoint, enough]), { startImmediately: true })
      yield* Effect.promise(() =>
        until(async () => ((await daemon.mount("data")).operations["CREATE"]?.count === 1 ? true : undefined), "a file")
      )
      const stopping = daemon.stop()
      yield* Effect.promise(() =>
        until(async () => (findMount(mountpoint) === undefined ? true : undefined), "the mount is detached")
      )
      yield* Effect.promise(() => writeFile(enough, ""))
      assert.deepStrictEqual(yield* Effect.promise(() => stopping), { status: 0, signal: null })
      yield* Fiber.await(busy)
    })
  )
})
