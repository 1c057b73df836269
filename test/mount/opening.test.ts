/** Files that the kernel opens without asking. */
import { assert, describe, it } from "@effect/vitest"
import { memory, readOnly, sqlite, withLog } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

const script = join(import.meta.dirname, "opening.py")

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-opening-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const backends = {
  memory: () => Effect.succeed(memory()),
  sqlite: () => Effect.flatMap(folder, (path) => sqlite(join(path, "store")))
}

describe("files that are found by their nodes", () => {
  for (const [name, make] of Object.entries(backends)) {
    it.live(`${name}: are opened and made as others are, and the kernel asks for it once`, () =>
      Effect.gen(function* () {
        const asked = new Map<string, number>()
        const { mountpoint, run } = yield* serve(
          Effect.map(make(), (backend) =>
            withLog(backend, ({ operation, request }) => {
              // A TMPFILE is open from its beginning.
              if (operation !== "release") asked.set(operation, (asked.get(operation) ?? 0) + 1)
              assert.notStrictEqual(request.op, "releasedir")
            })
          )
        )
        yield* run("python3", [script, mountpoint])
        assert.deepStrictEqual(
          ["open", "opendir", "create", "tmpfile"].map((operation) => asked.get(operation)),
          [1, 1, 1, 1]
        )
        assert.strictEqual(asked.get("mknod"), 22)
      })
    )
  }

  it.live("are asked for where nothing may be changed: who opens one to write is told at once", () =>
    Effect.gen(function* () {
      const backend = memory()
      const { mountpoint, run } = yield* serve({
        ...readOnly(backend),
        // A folder with a file that was there before.
        ...(backend.create && { create: backend.create }),
        ...(backend.write && { write: backend.write })
      })
      const text = yield* run("python3", [
        "-c",
        `
import os, sys
path = sys.argv[1] + "/file"
os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
try: os.open(path, os.O_WRONLY)
except OSError as error: print(error.errno)
`,
        mountpoint
      ])
      assert.strictEqual(text, "30\n")
    })
  )
})
