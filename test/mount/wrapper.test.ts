/** The installed command where it starts a Node as its child: the end of either is that of both. */
import { findMount } from "@bickford/transport"
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"

const installed = join(root, "packages", "bickford", "bin", "bickford.cjs")
/** As a Node that cannot go on in its own place. */
const withoutExecve = ["--import", "data:text/javascript,process.execve=undefined"]

const next = () => new Promise((resolve) => setTimeout(resolve, 20))

describe("the installed command", () => {
  it("unmounts when it is killed, and not when a module closes Node's channel", async () => {
    const mountpoint = await makeMountpoint()
    const folder = await mkdtemp(join(tmpdir(), "bickford-wrapper-"))
    try {
      const module = join(folder, "backend.mjs")
      await writeFile(
        module,
        `export const backend = { getattr: () => { throw 5 } }
        process.disconnect?.()
        setImmediate(() => process.stdout.write(process.env.BICKFORD_WRAPPER === undefined ? "module\\n" : "marked\\n"))`
      )
      const child = spawn(process.execPath, [...withoutExecve, installed, "mount", `module:${module}`, mountpoint], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      let said = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
      const ended = once(child, "close")
      while (!said.includes(" is mounted at ") && child.exitCode === null) await next()
      assert.include(said, "module\n")
      assert.isDefined(findMount(mountpoint), said)
      child.kill("SIGKILL")
      while (findMount(mountpoint) !== undefined) await next()
      // The server is gone as well: it has the other end of the pipe.
      await ended
    } finally {
      await cleanUp(mountpoint, [])
      await rm(folder, { recursive: true })
    }
  })
})
