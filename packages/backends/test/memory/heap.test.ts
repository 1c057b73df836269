import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

it("an empty file takes 400 bytes of heap at the most, and gives them back", async () => {
  const script = fileURLToPath(new URL("./heapPerFile.ts", import.meta.url))
  const flags = ["--expose-gc", "--conditions=development", "--disable-warning=ExperimentalWarning"]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script])
  const measured: { readonly perFile: number; readonly left: number; readonly inodes: number } = JSON.parse(stdout)
  assert.isAtMost(measured.perFile, 400)
  assert.isAtMost(measured.left, 40)
  assert.strictEqual(measured.inodes, 1)
}, 60_000)
