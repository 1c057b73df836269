/** The commands for a terminal, each driven in a pseudo-terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { attempt } from "../mount/processes.ts"
import {
  bickfordCommand,
  type Daemon,
  mountConfig,
  mountpoints,
  startDaemon,
  until,
  workFolder
} from "../daemon/daemon.ts"
import { plain, terminal, type TerminalOptions } from "./terminal.ts"

/** A daemon with two mounts, `alpha` a store, and `beta` in memory. */
const twoMounts = Effect.gen(function* () {
  const folder = yield* workFolder
  const [alpha = "", beta = ""] = yield* mountpoints(2)
  const daemon = yield* startDaemon(folder, [
    mountConfig("alpha", `sqlite:${join(folder, "store")}`, alpha),
    mountConfig("beta", "memory:", beta)
  ])
  yield* Effect.promise(() => Promise.all(["alpha", "beta"].map((name) => daemon.reaches(name, "running"))))
  return { daemon, alpha, beta }
})

const onTerminal = (daemon: Daemon, words: ReadonlyArray<string>, options?: TerminalOptions) =>
  terminal([...bickfordCommand, ...words, "--runtime-directory", dirname(daemon.socket)], options)

const red = "\x1b[31m"

/** Looks for a file that is not there, again and again while `use` runs. */
const asking = async <A>(path: string, use: () => Promise<A>): Promise<A> => {
  let isOver = false
  const load = (async () => {
    while (!isOver) await attempt("stat", [path])
  })()
  try {
    return await use()
  } finally {
    isOver = true
    await load
  }
}

describe("in a terminal", () => {
  it.live("top: sorts, pauses, chooses a mount, helps, and ends; nothing stays on the screen", () =>
    Effect.gen(function* () {
      const { daemon, alpha } = yield* twoMounts
      const top = yield* onTerminal(daemon, ["top"], { columns: 100, rows: 20 })
      yield* Effect.promise(() =>
        asking(join(alpha, "absent"), async () => {
          let at = await top.shows(/alpha +running +\d[\s\S]*beta +running[\s\S]*sorted by configured; \? for help/)
          assert.include(top.text(), "\x1b[1m", "the columns' names are bold")
          top.press("s")
          at = await top.shows(/sorted by ops\/s/, at)
          top.press("?")
          at = await top.shows(/q, Ctrl-C +end/, at)
          top.press("?")
          at = await top.shows(/alpha +running/, at)
          top.press("\x1b[B")
          at = await top.shows(/alpha\n +OPERATION[\s\S]*LOOKUP/, at)
          top.press("p")
          at = await top.shows(/sorted by ops\/s, paused/, at)
          top.press(" ")
          at = await top.shows(/sorted by ops\/s;/, at)
          at = await top.shows(/alpha +running/, at)
          top.press("/bet\r")
          at = await top.shows(/only with bet;/, at)
          assert.notMatch(plain(top.text().slice(at)), /alpha +running/)
          top.press("\x1b")
          await top.shows(/alpha +running/, at)
          top.press("q")
        })
      )
      assert.strictEqual(yield* Effect.promise(() => top.status), 0)
      assert.isTrue(top.text().trimEnd().endsWith("\x1b[?1049l"), "the other screen is left")
    })
  )

  it.live("top: without colour where NO_COLOR asks for it, and on a narrow terminal", () =>
    Effect.gen(function* () {
      const { daemon } = yield* twoMounts
      const top = yield* onTerminal(daemon, ["top"], { columns: 40, rows: 6, env: { NO_COLOR: "1" } })
      yield* Effect.promise(() => top.shows(/sorted by configured/))
      top.press("\x03")
      assert.strictEqual(yield* Effect.promise(() => top.status), 0)
      for (const colour of ["\x1b[1m", "\x1b[2m", red]) assert.notInclude(top.text(), colour)
      assert.isTrue(
        plain(top.text())
          .split("\n")
          .every((line) => line.length <= 40)
      )
    })
  )

  it.live("trace: calls with path, result and time, by conditions; errors in red", () =>
    Effect.gen(function* () {
      const { daemon, alpha } = yield* twoMounts
      const trace = yield* onTerminal(daemon, ["trace", alpha, "--path", "/wan", "--op", "lookup", "--count", "3"])
      yield* Effect.promise(() =>
        asking(join(alpha, "other"), () => asking(join(alpha, "wanted"), () => trace.status.then(() => undefined)))
      )
      const lines = plain(trace.text()).trim().split("\n")
      assert.lengthOf(lines, 3)
      for (const line of lines)
        assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} \[\d+\] LOOKUP\("\/wanted"\) = ENOENT <[\d.]+ (us|ms|s)>$/)
      assert.include(trace.text(), red)
      assert.strictEqual(yield* Effect.promise(() => trace.status), 0)

      const wrong = yield* onTerminal(daemon, ["trace", "alpha", "--op", "lokup"])
      assert.strictEqual(yield* Effect.promise(() => wrong.status), 1)
      assert.match(wrong.text(), /there is no operation LOKUP; did you mean LOOKUP\?/)
      const nowhere = yield* onTerminal(daemon, ["trace", "alfa"])
      assert.strictEqual(yield* Effect.promise(() => nowhere.status), 1)
      assert.match(nowhere.text(), /the daemon has no mount alfa; did you mean alpha\?/)
    })
  )

  it.live("trace ends with Ctrl-C, and --json gives records", () =>
    Effect.gen(function* () {
      const { daemon, beta } = yield* twoMounts
      const trace = yield* onTerminal(daemon, ["trace", "beta", "--json", "--error", "any"])
      yield* Effect.promise(() => asking(join(beta, "absent"), () => trace.shows(/\n.*\n/)))
      const [first = ""] = plain(trace.text()).split("\n")
      assert.deepInclude(JSON.parse(first), { opcode: "LOOKUP", path: "/absent", error: "ENOENT" })
      trace.press("\x03")
      assert.strictEqual(yield* Effect.promise(() => trace.status), 130)
    })
  )

  it.live("stats: a mount's numbers by operation, as text and as JSON", () =>
    Effect.gen(function* () {
      const { daemon, beta } = yield* twoMounts
      yield* Effect.promise(() => attempt("stat", [join(beta, "absent")]))
      yield* Effect.promise(() =>
        until(
          async () => ((await daemon.mount("beta")).operations["LOOKUP"] === undefined ? undefined : true),
          "a count"
        )
      )
      const stats = yield* onTerminal(daemon, ["stats", beta])
      assert.strictEqual(yield* Effect.promise(() => stats.status), 0)
      assert.match(plain(stats.text()), /^beta: running, memory: at /)
      assert.match(plain(stats.text()), /^OPERATION +CALLS +ERRORS +P50 us +P99 us +TOTAL ms$/m)
      assert.match(plain(stats.text()), /^LOOKUP +\d+ +0 +\d+ +\d+ +\d+\.\d$/m)
      const json = yield* onTerminal(daemon, ["stats", "beta", "--json"])
      yield* Effect.promise(() => json.status)
      assert.deepInclude(JSON.parse(plain(json.text())), { name: "beta", mountpoint: beta })
    })
  )

  it.live("stats and trace: of a mount without a daemon, which counts from then on", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const env = { XDG_RUNTIME_DIR: folder }
      const mounted = yield* terminal([...bickfordCommand, "mount", "memory:", mountpoint], { env })
      yield* Effect.promise(() => mounted.shows(/Ctrl-C unmounts it/))
      // The socket is made once the mount is told of.
      const asked = (words: ReadonlyArray<string>) =>
        Effect.promise(() =>
          until(async () => {
            const [program = "", ...args] = bickfordCommand
            const outcome = await attempt(program, [...args, ...words, "--runtime-directory", folder])
            return outcome.status === 0 ? outcome : undefined
          }, words.join(" "))
        )
      yield* asked(["stats", mountpoint, "--seconds", "1"])
      yield* Effect.promise(() =>
        asking(join(mountpoint, "absent"), async () => {
          const stats = await Effect.runPromise(
            Effect.scoped(
              Effect.flatMap(terminal([...bickfordCommand, "stats", mountpoint, "--seconds", "3"], { env }), (shown) =>
                Effect.promise(async () => {
                  assert.strictEqual(await shown.status, 0, shown.text())
                  return plain(shown.text())
                })
              )
            )
          )
          assert.match(stats, /: running, memory: at /)
          assert.match(stats, /^counted for 3 s: \d+ calls, 0 errors/m)
          assert.match(stats, /^LOOKUP +[1-9]\d* /m)
          const trace = await Effect.runPromise(asked(["trace", mountpoint, "--op", "lookup", "--count", "1"]))
          assert.match(trace.stdout, /LOOKUP\("\/absent", flags=0\) = ENOENT|LOOKUP\("\/absent"\) = ENOENT/)
        })
      )
      const [program = "", ...args] = bickfordCommand
      const other = yield* Effect.promise(() =>
        attempt(program, [...args, "stats", "/proc", "--runtime-directory", folder])
      )
      assert.match(other.stderr, /^bickford: \/proc is a mount of proc that cannot be asked: /)
      mounted.press("\x03")
      assert.strictEqual(yield* Effect.promise(() => mounted.status), 0)
    })
  )

  it.live("bench: a mount beside the directory underneath, and nothing left in either", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const served = yield* terminal([...bickfordCommand, "mount", `passthrough:${folder}`, mountpoint])
      yield* Effect.promise(() => served.shows(/Ctrl-C unmounts it/))
      const bench = yield* terminal([...bickfordCommand, "bench", mountpoint, "--milliseconds", "20"])
      assert.strictEqual(yield* Effect.promise(() => bench.status), 0, bench.text())
      const text = plain(bench.text())
      assert.include(text, `here: ${mountpoint}; beside: ${folder}`)
      assert.match(text, /^OPERATION +HERE +BESIDE +RATIO$/m)
      for (const name of ["stat", "create, remove", "rename", "list 100 names", "read 4 KiB"])
        assert.match(text, new RegExp(`^${name} +\\d+/s +\\d+/s +\\d+\\.\\d\\d$`, "m"))
      assert.match(text, /^write 1 MiB +\d+ MiB\/s +\d+ MiB\/s +\d+\.\d\d$/m)
      const json = yield* terminal([
        ...bickfordCommand,
        "bench",
        mountpoint,
        "--milliseconds",
        "20",
        "--json",
        "--beside",
        folder
      ])
      yield* Effect.promise(() => json.status)
      const { figures }: { readonly figures: ReadonlyArray<{ readonly here: number; readonly beside: number }> } =
        JSON.parse(plain(json.text()))
      assert.lengthOf(figures, 11)
      assert.isTrue(figures.every(({ beside, here }) => here > 0 && beside > 0))
      const stopped = yield* terminal([...bickfordCommand, "bench", mountpoint])
      yield* Effect.promise(() =>
        until(async () => (readdirSync(folder).length > 0 ? true : undefined), "a bench at work")
      )
      stopped.press("\x03")
      assert.strictEqual(yield* Effect.promise(() => stopped.status), 1)
      assert.deepStrictEqual(readdirSync(folder), [])
      served.press("\x03")
      assert.strictEqual(yield* Effect.promise(() => served.status), 0)
    })
  )

  it.live("ls and info", () =>
    Effect.gen(function* () {
      const { daemon, alpha } = yield* twoMounts
      const ls = yield* onTerminal(daemon, ["ls"], { columns: 200 })
      assert.strictEqual(yield* Effect.promise(() => ls.status), 0)
      assert.match(plain(ls.text()), /^MOUNTPOINT +SOURCE +STATE +SERVED BY$/m)
      assert.match(plain(ls.text()), new RegExp(`^${alpha} +sqlite:\\S+ +alive +the daemon, as alpha`, "m"))
      const store = `sqlite:${join(dirname(daemon.socket), "..", "store")}`
      const told = Effect.gen(function* () {
        const info = yield* terminal([...bickfordCommand, "info", store])
        assert.strictEqual(yield* Effect.promise(() => info.status), 0)
        return plain(info.text())
      })
      assert.match(yield* told, /^takes: \d+ bytes, and \d+ bytes of its log\nserved now/m)
      yield* Effect.promise(daemon.stop)
      assert.match(yield* told, /^holds: 1 inodes, 0 bytes of files/m)
    })
  )

  it.live("completion: bash completes commands and options with what is printed", () =>
    Effect.gen(function* () {
      const completion = yield* terminal([...bickfordCommand, "completion", "bash"])
      assert.strictEqual(yield* Effect.promise(() => completion.status), 0)
      const bickford = bickfordCommand.map((word) => `'${word}'`).join(" ")
      const shell = yield* terminal(["bash", "--noprofile", "--norc", "-i"], { env: { PS1: "> " } })
      yield* Effect.promise(async () => {
        await shell.shows(/> $/)
        shell.press(`source <(${bickford} completion bash); echo loa""ded\n`)
        let at = await shell.shows(/^loaded$/m)
        shell.press("bickford tra\t")
        at = await shell.shows(/bickford trace $/, at)
        shell.press("--sl\t")
        at = await shell.shows(/--slow $/, at)
        // A signal throws away what is typed before it is seen to.
        shell.press("\x03")
        await shell.shows(/> $/, at)
        shell.press("exit\n")
      })
      yield* Effect.promise(() => shell.status)
      for (const other of ["zsh", "fish"]) {
        const printed = yield* terminal([...bickfordCommand, "completion", other])
        assert.strictEqual(yield* Effect.promise(() => printed.status), 0)
        assert.match(printed.text(), /trace/)
      }
    })
  )
})
