import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = async (script: URL): Promise<Record<string, number>> => {
  const flags = ["--expose-gc", "--conditions=development", "--disable-warning=ExperimentalWarning"]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(script)])
  return JSON.parse(stdout) as Record<string, number>
}

it("an empty file takes 400 bytes of heap at the most, and gives them back", async () => {
  const measured = await run(new URL("./heapPerFile.ts", import.meta.url))
  assert.isAtMost(measured["perFile"] ?? Number.NaN, 400)
  assert.isAtMost(measured["left"] ?? Number.NaN, 40)
  assert.strictEqual(measured["inodes"], 1)
})

it("files that come and go leave nothing that only a collection of the whole heap would find", async () => {
  const measured = await run(new URL("./heapOfChurn.ts", import.meta.url))
  assert.strictEqual(measured["inodes"], 1)
  // Twenty bytes a file; the tables of a map that is small and changes would be over a hundred.
  assert.isAtMost(measured["grown"] ?? Number.NaN, 4_000_000)
})
