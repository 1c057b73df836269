/** The short form of `npm run fuzz`, in a process of its own: what blocks its event loop is ended from here. */
import { assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { root } from "../mount/bickford.ts"
import { run } from "../mount/processes.ts"
import { fuzzed } from "./places.ts"

const main = [
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  join(root, "test", "fuzz", "main.ts")
]
/** Of 512 bytes: no file grows beyond 10 MB, whatever offset is drawn. */
const limited = 'ulimit -f 20000; exec "$@"'

describe("random lives of a connection: one reply each, no harm, and it serves on", () => {
  for (const name of Object.keys(fuzzed)) {
    it(`over ${name}`, async () => {
      const args = ["--seed", "7", "--frames", "1000", "--lives", "12", "--length", "40", "--on", name]
      assert.include(
        await run("sh", ["-c", limited, "sh", process.execPath, ...main, ...args]),
        `12 lives over ${name} (seed 7): all held`
      )
    })
  }
})
