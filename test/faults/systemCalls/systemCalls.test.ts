/** System calls that fail, are short, or are interrupted, by a shim of our own before the C library. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../../mount/processes.ts"
import { rows } from "./table.ts"

const here = (name: string): string => join(import.meta.dirname, name)

it("a system call of the addon's that goes wrong is told, or done again: never taken for done, never tried for ever", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-shim-"))
  try {
    const library = join(folder, "shim.so")
    const control = join(folder, "control")
    await run("gcc", ["-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, here("shim.c"), "-ldl"])
    await writeFile(control, Buffer.alloc(4096))
    // What is preloaded already, as a sanitizer's runtime, comes first.
    const preload = [process.env["LD_PRELOAD"], library].filter((name) => name !== undefined && name !== "").join(" ")
    const env = { ...process.env, LD_PRELOAD: preload, BICKFORD_FAULTS: control }
    const args = ["--conditions=development", "--disable-warning=ExperimentalWarning", here("program.ts")]
    const answers: ReadonlyArray<{ readonly answer: number; readonly met: number; readonly content: string }> =
      JSON.parse(await run(process.execPath, args, { env }))
    for (const [index, row] of rows.entries()) {
      const found = answers[index]
      assert.isAbove(found?.met ?? 0, 0, `${JSON.stringify(row)}: the call was made`)
      assert.strictEqual(found?.answer, row.answer, JSON.stringify(row))
      if (row.ask === "fs_write" && row.answer > 0) assert.strictEqual(found?.content, "what is written is read", JSON.stringify(row))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
