/** Everything that prints a name, given one that would move a cursor, forge a line or turn the text around. */
import { assert, describe, it } from "@effect/vitest"
import { printableJson } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { get } from "node:http"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { bickford, makeMountpoint, withMount } from "../mount/bickford.ts"
import { attempt, ended } from "../mount/processes.ts"
import { bickfordCommand, mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

const hostile = "x\x1b]0;OWNED\x07\x1b[31m\nlevel=ERROR forged\t\x7f\u009b1m\u2028\u202e\u2066y\\"
/** How a line shows it. */
const shown = String.raw`x\x1b]0;OWNED\x07\x1b[31m\nlevel=ERROR forged\t\x7f\u009b1m\u2028\u202e\u2066y\\`

/** Only line breaks are bare, and no line is the name's. */
const assertPlain = (text: string, what: string): void => {
  const raw = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.exec(text.replaceAll("\n", ""))
  assert.isNull(raw, `${what} has a bare ${JSON.stringify(raw?.[0])}: ${JSON.stringify(text.slice(0, 2000))}`)
  assert.notMatch(text, /^level=ERROR forged/m, what)
}

/** `text` is what `command` printed, on both streams. */
const plainly = async (
  ...args: ReadonlyArray<string>
): Promise<{ readonly status: number | null; readonly text: string }> => {
  const { status, stderr, stdout } = await bickford(args)
  const text = stdout + stderr
  assertPlain(text, args[0] ?? "")
  return { status, text }
}

const getText = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ socketPath, path }, (response) => {
      let text = ""
      response
        .setEncoding("utf8")
        .on("data", (part: string) => (text += part))
        .once("end", () => resolve(text))
    }).once("error", reject)
  })

describe("a hostile name", () => {
  it.live(
    "in a mount: the wire log of -d, fsck, a refusal, doctor and the sentence that it is mounted show it escaped",
    () =>
      Effect.gen(function* () {
        const folder = yield* workFolder
        const store = join(folder, "store")
        yield* Effect.promise(() =>
          withMount(
            async (served) => {
              const { mountpoint } = served
              await served.run("touch", [join(mountpoint, hostile)])
              await served.run("python3", [
                "-c",
                "import os,sys; os.setxattr(sys.argv[1], sys.argv[2], b'v'); open(os.fsencode(sys.argv[3]) + b'/raw\\xff\\x1b', 'w')",
                join(mountpoint, hostile),
                `user.${hostile}`,
                mountpoint
              ])
              await served.run("ln", ["-s", hostile, join(mountpoint, "link")])
              await until(async () => (served.log().includes("SYMLINK") ? true : undefined), "the calls in the log")
              assertPlain(served.log(), "-d")
              assert.include(served.log(), `name=${printableJson(hostile)}`)
              assert.include(served.log(), String.raw`name="bytes:rawÿ\u001b"`)
            },
            ["-d"],
            `sqlite:${store}`
          )
        )
        const db = new DatabaseSync(store)
        db.exec("UPDATE entry SET cookie = cookie + 99")
        db.close()
        const found = yield* Effect.promise(() => plainly("fsck", store))
        assert.include(found.text, `"${shown}" cannot be found where it is kept`)
        assert.include(found.text, String.raw`"raw\xff\x1b" cannot be found`)
        const missing = yield* Effect.promise(() => plainly("fsck", join(folder, hostile)))
        assert.include(missing.text, shown)
        const here = yield* Effect.promise(makeMountpoint)
        // No mountpoint has a line break.
        const place = join(here, hostile.replace("\n", " "))
        const shownPlace = join(here, shown.replace("\\n", " "))
        mkdirSync(place)
        const [program = "", ...args] = bickfordCommand
        const server = spawn(program, [...args, "mount", "memory:", place], { stdio: ["ignore", "pipe", "pipe"] })
        let said = ""
        for (const stream of [server.stdout, server.stderr])
          stream.setEncoding("utf8").on("data", (text: string) => (said += text))
        try {
          yield* Effect.promise(() => until(async () => (said.includes("is mounted at") ? true : undefined), "a mount"))
          assertPlain(said, "mount")
          assert.include(said, shownPlace)
          const refused = yield* Effect.promise(() => plainly("mount", "memory:", place))
          assert.strictEqual(refused.status, 1)
          assert.include(refused.text, shownPlace)
          server.kill("SIGKILL")
          yield* Effect.promise(() => ended(server))
          const doctor = yield* Effect.promise(() => plainly("doctor"))
          assert.include(doctor.text, `umount -l $'${shownPlace}'`)
          assertPlain((yield* Effect.promise(() => plainly("doctor", "--json"))).text, "doctor --json")
        } finally {
          server.kill("SIGKILL")
          yield* Effect.promise(() => attempt("umount", ["-l", place]))
          yield* Effect.promise(() => attempt("rm", ["-r", here]))
        }
        const none = yield* Effect.promise(() => plainly("unmount", join(folder, hostile)))
        assert.include(none.text, shown)
      })
  )

  it.live("in a daemon: log, status, top, metrics, health, wire log, check and refusals show it escaped", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [serving = "", broken = ""] = yield* mountpoints(2)
      const module = join(folder, "broken.mjs")
      writeFileSync(module, `throw new Error(${printableJson(hostile)})\n`)
      const once = { restart: { intensity: 0, period: 1000, backoff: { initial: 1, max: 1 } } }
      const failing = `failing${hostile}`
      const daemon = yield* startDaemon(folder, [
        mountConfig(hostile, "memory:", serving),
        mountConfig(failing, `module:${module}`, broken, once)
      ])
      yield* Effect.promise(() => daemon.reaches(hostile, "running"))
      yield* Effect.promise(() => daemon.reaches(failing, "failed"))
      yield* Effect.promise(() =>
        until(async () => (daemon.log().includes("restarts within") ? true : undefined), "the log's line")
      )
      daemon.process.kill("SIGHUP")
      yield* Effect.promise(() =>
        until(async () => (daemon.log().includes("reload: ") ? true : undefined), "the reload's line")
      )
      assertPlain(daemon.log(), "the log")

      const at = ["--runtime-directory", dirname(daemon.socket)]
      const status = yield* Effect.promise(() => plainly("status", ...at))
      assert.include(status.text, `  ${shown}  running  memory: at ${serving}`)
      assert.include(status.text, `the last cause: more than 0 restarts`)
      const json = yield* Effect.promise(() => plainly("status", "--json", ...at))
      assert.include(
        JSON.parse(json.text).mounts.map(({ name }: { readonly name: string }) => name),
        hostile
      )
      assert.include((yield* Effect.promise(() => plainly("top", "--once", ...at))).text, shown)
      assert.include((yield* Effect.promise(() => plainly("restart", hostile, ...at))).text, shown)
      assert.include((yield* Effect.promise(() => plainly("restart", `${hostile}?`, ...at))).text, shown)
      assert.include((yield* Effect.promise(() => plainly("check", join(folder, "bickford.toml")))).text, shown)
      for (const path of ["/metrics", "/healthz", "/status"])
        assertPlain(yield* Effect.promise(() => getText(daemon.socket, path)), path)

      const [program = "", ...args] = bickfordCommand
      const log = spawn(program, [...args, "log", hostile, ...at], { stdio: ["ignore", "pipe", "inherit"] })
      let text = ""
      log.stdout.setEncoding("utf8").on("data", (part: string) => (text += part))
      yield* Effect.promise(() =>
        until(async () => {
          await attempt("test", ["-e", join(serving, hostile)])
          return /"type":"reply".*"LOOKUP"/.test(text) ? true : undefined
        }, "a line of the wire log")
      )
      assertPlain(text, "the wire log")
      log.kill("SIGTERM")
      yield* Effect.promise(() => ended(log))
      yield* Effect.promise(daemon.stop)
      assertPlain(daemon.log(), "the log")
    })
  )

  it.live("in a configuration that is wrong, or its path", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const file = join(folder, hostile)
      writeFileSync(
        file,
        `[mounts.${printableJson(hostile)}]\nsource = ${printableJson(hostile)}\nmountpoint = 7\n${printableJson(hostile)} = 1\n`
      )
      const checked = yield* Effect.promise(() => plainly("check", file))
      assert.strictEqual(checked.status, 1)
      assert.include(checked.text, shown)
      assert.include((yield* Effect.promise(() => plainly("mount", hostile, folder))).text, shown)
      assert.include((yield* Effect.promise(() => plainly("mount", "memory:", folder, "-o", hostile))).text, "OWNED")
      assert.include((yield* Effect.promise(() => plainly("daemon", "--config", `${file}.absent`))).text, shown)
      assert.include((yield* Effect.promise(() => plainly(hostile))).text, "OWNED")
      assert.include(
        (yield* Effect.promise(() => plainly("status", "--runtime-directory", join(folder, hostile)))).text,
        "OWNED"
      )
    })
  )
})
