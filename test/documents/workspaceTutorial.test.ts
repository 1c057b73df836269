/** The tutorial of workspaces does what it says: its commands are run in order, and print what stands there. */
import { assert, it } from "@effect/vitest"
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { attempt } from "../mount/processes.ts"
import { fencesOf, root } from "./documents.ts"

it("the tutorial of workspaces does what it says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-tutorial-"))
  try {
    const program = join(folder, "bickford")
    await writeFile(
      program,
      `#!/bin/sh\nexec "${process.execPath}" "${join(root, "packages/bickford/bin/bickford.cjs")}" "$@"\n`
    )
    await chmod(program, 0o755)
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, VITEST: ___, ...inherited } = process.env
    const env = {
      ...inherited,
      LC_ALL: "C",
      XDG_DATA_HOME: join(folder, "data"),
      PATH: `${folder}:${process.env["PATH"]}`
    }
    let directory = folder
    let said: ReadonlyArray<string> = []
    for (const { content, language } of fencesOf(await readFile(join(root, "docs/workspace-tutorial.md"), "utf8"))) {
      if (language === "console") {
        const expected = content.trimEnd().split("\n")
        assert.deepStrictEqual(
          said.map((line, n) => line.slice(0, expected[n]?.length)),
          expected
        )
      } else {
        assert.strictEqual(language, "sh")
        const { status, stderr, stdout } = await attempt("sh", ["-ec", content], { cwd: directory, env })
        assert.strictEqual(status, 0, stderr)
        for (const [, to = ""] of content.matchAll(/^cd (.*)$/gm)) directory = resolve(directory, to)
        said = stdout.trimEnd().split("\n")
      }
    }
    assert.strictEqual(await readFile(join(directory, "lines.txt"), "utf8"), "ONE\nTWO\nthree\n")
  } finally {
    await rm(folder, { recursive: true })
  }
})
