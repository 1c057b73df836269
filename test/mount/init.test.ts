/** `bickford init`: the project that it makes passes its test, and mounts. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bickford, root, withMount } from "./bickford.ts"
import { attempt, run } from "./processes.ts"

it("bickford init makes a project that passes its test and mounts, and replaces nothing", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-init-")))
  try {
    const project = join(folder, "My Files")
    const made = await bickford(["init", project])
    assert.strictEqual(made.status, 0, made.stderr)
    // As npm install would, with what is in this checkout.
    await symlink(join(root, "node_modules"), join(project, "node_modules"))
    const env = { ...process.env, NODE_OPTIONS: "--conditions=development" }
    const tested = await attempt(process.execPath, ["--test"], { cwd: project, env })
    assert.strictEqual(tested.status, 0, tested.stdout)
    assert.match(tested.stdout, /pass 1\n/)
    await withMount(
      async (served) => {
        assert.strictEqual(await served.run("cat", [join(served.mountpoint, "hello")]), "hello\n")
      },
      [],
      `module:${join(project, "filesystem.ts")}`
    )
    await writeFile(join(project, "package.json"), "{}")
    const again = await bickford(["init", project])
    assert.strictEqual(again.status, 1)
    assert.match(again.stderr, /^bickford: .*package\.json/)
    assert.strictEqual(await run("cat", [join(project, "package.json")]), "{}")
  } finally {
    await rm(folder, { recursive: true })
  }
})
