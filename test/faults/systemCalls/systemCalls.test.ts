/** System calls that fail, are short, or are interrupted, by a shim of our own before the C library. */
import { assert, it } from "@effect/vitest"
import { runUnderShim } from "./shim.ts"
import { rows } from "./table.ts"

it("a system call of the addon's that goes wrong is told, or done again: never taken for done, never tried for ever", async () => {
  const answers: ReadonlyArray<{ readonly answer: number; readonly met: number; readonly content: string }> =
    JSON.parse(await runUnderShim("program.ts"))
  for (const [index, row] of rows.entries()) {
    const found = answers[index]
    assert.isAbove(found?.met ?? 0, 0, `${JSON.stringify(row)}: the call was made`)
    assert.strictEqual(found?.answer, row.answer, JSON.stringify(row))
    if (row.ask === "fs_write" && row.answer > 0)
      assert.strictEqual(found?.content, "what is written is read", JSON.stringify(row))
  }
})
