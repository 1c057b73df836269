/** Mounting by fsopen(2) and its kin gives the same mount as mount(2) does, which is asked where they fail. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../../mount/processes.ts"
import type { Report } from "./mounting.ts"
import { runUnderShim } from "./shim.ts"

/** Hands the program a block device of its own. */
const report = async (): Promise<Report> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-device-"))
  try {
    const image = join(folder, "image")
    await writeFile(image, "")
    await truncate(image, 1 << 20)
    const device = (await run("losetup", ["--find", "--show", image])).trim()
    try {
      return JSON.parse(await runUnderShim("mounting.ts", [device]))
    } finally {
      await run("losetup", ["--detach", device])
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The device, and what lies underneath. */
const descriptorsOfMount = 2

describe("mounting by fsopen", () => {
  let found: Report
  beforeAll(async () => void (found = await report()), 120_000)

  it("each option is in the mount table as with mount(2), which is not called", () => {
    assert.isAbove(Object.keys(found.both).length, 20)
    for (const [options, { byContext, byData }] of Object.entries(found.both)) {
      assert.match(byData.mounted, / (fuse|fuseblk)[ .]/, options)
      assert.strictEqual(byContext.mounted, byData.mounted, options)
      assert.deepStrictEqual([byContext.met, byContext.open, byContext.leaked], [0, descriptorsOfMount, 0], options)
      assert.deepStrictEqual([byData.met, byData.open, byData.leaked], [1, descriptorsOfMount, 0], options)
    }
  })

  it("a call that the kernel does not have, or a filter refuses, is made up for by mount(2)", () => {
    assert.isAbove(Object.keys(found.failing).length, 30)
    for (const [call, { leaked, met, mounted, open }] of Object.entries(found.failing)) {
      assert.match(mounted, /^[^\n]* fuse\.kind bickford [^\n]*$/, call)
      assert.isAbove(met, 0, call)
      assert.deepStrictEqual([open, leaked], [descriptorsOfMount, 0], call)
    }
  })

  it("a source that is too long for fsconfig is mounted by mount(2)", () =>
    assert.include(found.long.mounted, "n".repeat(300)))

  it("INIT is not synchronous where the kernel has no such ioctl, or mount(2) is not to be had", () => {
    for (const { leaked, met, mounted, open } of [found.asynchronous, found.withoutMount]) {
      assert.match(mounted, /^[^\n]* fuse\.kind bickford [^\n]*$/)
      assert.deepStrictEqual([met, open, leaked], [1, descriptorsOfMount, 0])
    }
    assert.strictEqual(found.servings, 0)
  })

  it("what the kernel says of a mount that it refuses is in the message", () => {
    assert.match(found.refused.maxRead.mounted, /^mount: EINVAL: .*: fuse: Bad value for 'max_read'$/)
    assert.match(
      found.refused.source.mounted,
      /^mount: ENOENT: blkdev: .* is not a block device; .*: Can't lookup blockdev$/
    )
    assert.match(found.refused.context.mounted, /^mount: E/)
    for (const [options, { leaked }] of Object.entries(found.refused)) assert.strictEqual(leaked, 0, options)
  })
})
