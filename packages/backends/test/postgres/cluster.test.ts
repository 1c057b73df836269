/** The server of tests. */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { ended } from "../../../../test/mount/processes.ts"

it("ends with its process, however that ends, and leaves nothing", async () => {
  const cluster = JSON.stringify(new URL("cluster.ts", import.meta.url))
  const program = `const { startCluster } = await import(${cluster}); console.log((await startCluster()).folder)`
  const owner = spawn(process.execPath, ["--input-type=module", "-e", `${program}; setInterval(() => {}, 1000)`], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const folder = await new Promise<string>((resolve) =>
    owner.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()))
  )
  const [pid = ""] = readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")
  assert.isTrue(existsSync(`/proc/${pid}`))
  owner.kill("SIGKILL")
  await ended(owner)
  while (existsSync(`/proc/${pid}`) || existsSync(folder)) await delay(20)
})
