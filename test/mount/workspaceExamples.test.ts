/** The examples of workspaces: attempts of agents, and tools of the Model Context Protocol. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { patienceMilliseconds } from "../patience.ts"
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

describe("mcp", () => {
  it("has tools to work on branches, and only commit changes the directory", () =>
    withDirectory(async (directory, store) => {
      const client = new Client({ name: "test", version: "1.0.0" })
      const dataHome = join(store, "..", "data")
      await client.connect(
        new StdioClientTransport({
          command: process.execPath,
          args: [...flags, example("mcp.ts"), directory],
          env: { PATH: process.env["PATH"] ?? "", XDG_DATA_HOME: dataHome }
        })
      )
      const call = async (name: string, args: Record<string, unknown>) => {
        const { content, isError } = await client.callTool({ name, arguments: args }, undefined, {
          timeout: patienceMilliseconds
        })
        const [first] = Array.isArray(content) ? content : []
        return { text: String(first?.text), isError: isError === true }
      }
      try {
        const { tools } = await client.listTools()
        assert.deepStrictEqual(
          tools.map(({ name }) => name),
          ["run", "diff", "audit", "checkpoint", "reset", "fork", "commit", "discard"]
        )
        const ran = await call("run", {
          branch: "try",
          command: "cat > sum.sh; sh sum.sh 1 2",
          input: "echo $(($1 + $2))\n"
        })
        assert.deepStrictEqual(JSON.parse(ran.text), { exitCode: 0, stdout: "3\n", stderr: "" })
        assert.include((await call("diff", { branch: "try" })).text, "+echo $(($1 + $2))")
        assert.include((await call("audit", { branch: "try", path: "sum.sh" })).text, '"op": "write"')
        await call("checkpoint", { branch: "try", checkpoint: "good" })
        await call("run", { branch: "try", command: "rm sum.sh" })
        await call("fork", { branch: "try", as: "worse" })
        await call("reset", { branch: "try", checkpoint: "good" })
        assert.isTrue((await call("reset", { branch: "try", checkpoint: "none" })).isError)
        assert.strictEqual(await readFile(join(directory, "sum.sh"), "utf8"), "echo $(($1 - $2))\n")
        assert.deepStrictEqual(await call("commit", { branch: "try" }), {
          text: "1 changes were brought in",
          isError: false
        })
        assert.strictEqual(await readFile(join(directory, "sum.sh"), "utf8"), "echo $(($1 + $2))\n")
        await call("discard", { branch: "worse" })
      } finally {
        await client.close()
      }
    }))
})
