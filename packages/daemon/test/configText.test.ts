/** What a configuration is read from. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readConfigText } from "../src/config/configText.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-text-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A FIFO that `script` writes, in a shell of its own. */
const written = (script: string) =>
  Effect.gen(function* () {
    const fifo = join(yield* folder, "fifo")
    execFileSync("mkfifo", [fifo])
    yield* Effect.acquireRelease(
      Effect.sync(() => spawn("sh", ["-c", script, fifo], { stdio: ["pipe", "inherit", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    return fifo
  })

const patience = 240_000

describe("readConfigText", () => {
  it.live("reads a file, and a pipe to its end, however it comes", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "file")
      writeFileSync(file, "text")
      assert.strictEqual(yield* readConfigText(file), "text")
      const fifo = yield* written('for part in one two; do printf $part; sleep 0.05; done >"$0"')
      assert.strictEqual(yield* readConfigText(fifo, patience), "onetwo")
    })
  )

  it.live("is bounded in size and in time", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "file")
      writeFileSync(file, "")
      truncateSync(file, 2 ** 40)
      assert.include((yield* Effect.flip(readConfigText(file))).message, "has more than 16 MiB")
      const endless = yield* written('yes >"$0"')
      assert.include((yield* Effect.flip(readConfigText(endless, patience))).message, "has more than 16 MiB")
      // Its writer waits for the end of its own input.
      const silent = yield* written('cat >"$0"')
      assert.include((yield* Effect.flip(readConfigText(silent, 100))).message, "did not end within 0.1 s")
    })
  )

  it.live("refuses what has no end, and tells what is not there", () =>
    Effect.gen(function* () {
      assert.include((yield* Effect.flip(readConfigText("/dev/zero"))).message, "is a device; name a regular file")
      assert.include((yield* Effect.flip(readConfigText("/proc"))).message, "is a directory")
      assert.strictEqual((yield* Effect.flip(readConfigText(join(yield* folder, "none")))).code, "ENOENT")
    })
  )
})
