/** The command's former place in a checkout. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"

describe("packages/daemon/src/main.ts", () => {
  it("runs the command", async () => {
    const program = new URL("../src/main.ts", import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=development", program, "--version"])
    assert.match(stdout, /^bickford v/)
  })
})
