/** The program in the README does what the README says. */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { attempt, ended, run } from "./processes.ts"

it("the README's program serves a filesystem in which nothing can be deleted", async () => {
  const [, program] = /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, "README.md"), "utf8")) ?? []
  assert.isDefined(program)
  const mountpoint = await makeMountpoint()
  const server = spawn(
    process.execPath,
    [
      "--conditions=development",
      "--input-type=module-typescript",
      "--eval",
      program ?? "",
      "--",
      "program",
      mountpoint
    ],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] }
  )
  try {
    let said = ""
    await new Promise<void>((resolve, reject) => {
      server.once("exit", (status) => reject(new Error(`it ended with ${status}: ${said}`)))
      server.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text
        if (said.includes("serving")) resolve()
      })
    })
    await run("sh", ["-c", "echo text > file && mkdir folder"], { cwd: mountpoint })
    const outcome = await attempt("rm", ["-r", "file", "folder"], {
      cwd: mountpoint,
      env: { ...process.env, LC_ALL: "C" }
    })
    assert.notStrictEqual(outcome.status, 0)
    assert.include(outcome.stderr, "Operation not permitted")
    assert.strictEqual(await run("cat", [join(mountpoint, "file")]), "text\n")
    await run("umount", [mountpoint])
    assert.strictEqual((await ended(server)).status, 0)
    assert.include(said, "ended: unmounted")
  } finally {
    server.kill("SIGKILL")
    await ended(server)
    await cleanUp(mountpoint, [])
  }
})
