/** The tree of an archive: what its paths come to, and what it takes in memory. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { type ArchiveEntry, ArchiveIndex } from "../src/in/archive/ArchiveIndex.ts"

const file = (place: number): ArchiveEntry => ({
  mode: 0o100644,
  mtime: 0,
  size: 1,
  place,
  stored: 1,
  crc: 0,
  method: 0
})

const namesIn = (index: ArchiveIndex, path: string): ReadonlyArray<string> =>
  Array.from(index.children(index.at(path) ?? Number.NaN), (entry) => index.name(entry))

describe("the index of an archive", () => {
  it("makes the directories that paths go through, and takes what comes later", () => {
    const index = new ArchiveIndex(0)
    assert.isTrue(index.enter("a/b/one", file(1)))
    assert.isTrue(index.enter("a/b/two", file(2)))
    assert.isTrue(index.enter("a/c", file(3)))
    assert.isTrue(index.enter("a/b/one", file(4)))
    assert.isTrue(index.enter("a/b/./two", file(5)))
    assert.deepStrictEqual(namesIn(index, ""), ["a"])
    assert.deepStrictEqual(namesIn(index, "a"), ["b", "c"])
    assert.deepStrictEqual(namesIn(index, "a/b"), ["one", "two"])
    assert.strictEqual(index.get(index.at("a/b/one") ?? 0).place, 4)
    assert.strictEqual(index.get(index.at("a/b/two") ?? 0).place, 5)
  })

  it("leaves out what leads out of the archive, or through a file", () => {
    const index = new ArchiveIndex(0)
    assert.isTrue(index.enter("d/file", file(1)))
    for (const path of ["../x", "d/..", "d/../x", "d/file/x", "d/a\0b", `d/${"n".repeat(256)}`])
      assert.isFalse(index.enter(path, file(2)), path)
    assert.isFalse(index.enter("d", file(3)))
    assert.deepStrictEqual(namesIn(index, "d"), ["file"])
  })

  it("of 100,000 entries takes less than 300 bytes for each, and finds them all", async () => {
    const flags = ["--expose-gc", "--conditions=development", "--disable-warning=ExperimentalWarning"]
    const program = join(import.meta.dirname, "heapPerEntry.ts")
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program])
    const measured = JSON.parse(stdout) as Record<string, number>
    assert.strictEqual(measured["found"], 100_000)
    assert.strictEqual(measured["count"], 101_001)
    assert.isBelow(measured["perEntry"] ?? Number.NaN, 300)
  })
})
