/** The examples do what they say, in under sixty lines each. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { attempt, ended, run } from "./processes.ts"

const withExample = async (
  name: string,
  args: ReadonlyArray<string>,
  body: (mountpoint: string) => Promise<void>
): Promise<void> => {
  const mountpoint = await makeMountpoint()
  const server = spawn(
    process.execPath,
    ["--conditions=development", join(root, "examples", name), ...args, mountpoint],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("exit", (status) => reject(new Error(`the example ended with ${status}`)))
      server.stdout.setEncoding("utf8").on("data", (text: string) => text.includes("serving") && resolve())
    })
    await body(mountpoint)
    server.kill("SIGTERM")
    assert.strictEqual((await ended(server)).status, 0)
  } finally {
    server.kill("SIGKILL")
    await ended(server)
    await cleanUp(mountpoint, [])
  }
}

describe("examples", () => {
  it("hello", () =>
    withExample("hello.ts", [], async (mountpoint) => {
      assert.strictEqual(await run("ls", [mountpoint]), "hello\n")
      assert.strictEqual(await run("cat", [join(mountpoint, "hello")]), "hello from TypeScript\n")
      assert.notStrictEqual((await attempt("stat", [join(mountpoint, "other")])).status, 0)
    }))

  it("process", () =>
    withExample("process.ts", [], async (mountpoint) => {
      const memory: unknown = JSON.parse(await run("cat", [join(mountpoint, "memory.json")]))
      assert.isTrue(typeof memory === "object" && memory !== null && "heapUsed" in memory)
      assert.strictEqual(await run("cat", [join(mountpoint, "env", "PATH")]), `${process.env["PATH"]}\n`)
      assert.match(await run("cat", [join(mountpoint, "clock")]), /^it is \d{4}-/)
    }))

  it("wordcount", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-words-"))
    try {
      await writeFile(join(folder, "text"), "four words are here\n")
      await withExample("wordcount.ts", [folder], async (mountpoint) => {
        assert.strictEqual(await run("ls", [mountpoint]), "text\ntext.words\n")
        assert.strictEqual(await run("cat", [join(mountpoint, "text")]), "four words are here\n")
        assert.strictEqual(await run("cat", [join(mountpoint, "text.words")]), "4\n")
        await writeFile(join(folder, "text"), "now more: one two three\n")
        assert.strictEqual(await run("cat", [join(mountpoint, "text.words")]), "5\n")
        assert.include(
          (
            await attempt("sh", ["-c", 'echo x > "$1"', "sh", join(mountpoint, "text")], {
              env: { ...process.env, LC_ALL: "C" }
            })
          ).stderr,
          "Read-only"
        )
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("are short", async () => {
    for (const name of await readdir(join(root, "examples"))) {
      if (!name.endsWith(".ts")) continue
      assert.isBelow((await readFile(join(root, "examples", name), "utf8")).split("\n").length, 60, name)
    }
  })
})
