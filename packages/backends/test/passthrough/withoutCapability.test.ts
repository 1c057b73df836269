/** The other tests of this directory once more, as root in a container has it: without CAP_DAC_READ_SEARCH no file is found by its handle. */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"

const here = import.meta.dirname
const root = join(here, "..", "..", "..", "..")
const tests = readdirSync(here)
  .filter((name) => name.endsWith(".test.ts") && name !== basename(import.meta.filename))
  .map((name) => join(here, name))

it("a served folder is served as well without CAP_DAC_READ_SEARCH", async () => {
  const vitest = [process.execPath, join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--root", root, ...tests]
  const child = spawn("setpriv", ["--bounding-set=-dac_read_search", "--inh-caps=-dac_read_search", ...vitest], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)))
  const status = await new Promise((resolve) => child.on("close", resolve))
  assert.strictEqual(status, 0, said)
})
