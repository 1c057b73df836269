/** The examples of workspaces: attempts of agents, and tools of the Model Context Protocol. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { attempt } from "./processes.ts"

const flags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
const example = (name: string): string => join(root, "examples", name)

const withDirectory = async (body: (directory: string, store: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-examples-"))
  try {
    const directory = join(folder, "project")
    await attempt("mkdir", [directory])
    await writeFile(join(directory, "sum.sh"), "echo $(($1 - $2))\n")
    await body(directory, join(folder, "branches"))
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe("agents", () => {
  it("keeps the first attempt that passes the check, and nothing of the others", () =>
    withDirectory(async (directory, store) => {
      const { status, stderr, stdout } = await attempt(
        process.execPath,
        [
          ...flags,
          example("agents.ts"),
          directory,
          "touch trace; test $(sh sum.sh 1 2) = 3",
          "rm sum.sh",
          "sed -i 's/-/+/' sum.sh",
          "echo 'echo 3' > sum.sh; touch more"
        ],
        { env: { ...process.env, BRANCHES: store } }
      )
      assert.strictEqual(status, 0, stderr)
      assert.match(stdout, /^try-1: fails, 1 changes/m)
      assert.match(stdout, /^sum\.sh \+1 -1$/m)
      assert.match(stdout, /^try-2 is in /m)
      assert.strictEqual(await readFile(join(directory, "sum.sh"), "utf8"), "echo $(($1 + $2))\n")
      assert.deepStrictEqual(await readdir(directory), ["sum.sh"])
      assert.deepStrictEqual(await readdir(store), [])
    }))
})
