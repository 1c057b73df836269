/** The examples do what they say, in under sixty lines each. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { withExample } from "./example.ts"
import { attempt, run } from "./processes.ts"

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
