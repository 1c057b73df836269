/** A served folder that others change as well, on the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough } from "@bickford/backends"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

/** A folder with some files, served; `asked` counts how often the kernel wanted entries. */
const start = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "bickford-passthrough-"))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  )
  for (const name of ["a", "b", "c"]) fs.writeFileSync(join(folder, name), name)
  const asked = { count: 0 }
  const source = Effect.map(passthrough(folder), (backend) => ({
    ...backend,
    readdir: (...args: Parameters<NonNullable<typeof backend.readdir>>) => {
      asked.count++
      return backend.readdir?.(...args) ?? Effect.die("no readdir")
    }
  }))
  const served = yield* serve(source)
  const list = Effect.map(served.run("ls", [served.mountpoint]), (text) => text.trim().split("\n").join(" "))
  return { ...served, folder, list, asked }
})

/** Waits until a change of the folder would show in its times, whatever clock they are of. */
const settled = (folder: string) => Effect.repeat(Effect.sleep(10), { until: () => Date.now() - fs.statSync(folder).ctimeMs > 60 })

describe("a served folder", { timeout: 60_000 }, () => {
  it.live("is listed from the kernel's memory as long as nobody has changed it, and as it is when somebody has", () =>
    Effect.gen(function*() {
      const { asked, folder, list, run, mountpoint } = yield* start
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      const once = asked.count
      assert.isAbove(once, 0)
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* list, "a b c")
      assert.strictEqual(asked.count, once, "the kernel had it")
      const times = fs.statSync(folder)
      const changes: ReadonlyArray<readonly [change: () => unknown, then: string]> = [
        [() => fs.writeFileSync(join(folder, "d"), ""), "a b c d"],
        [() => fs.rmSync(join(folder, "a")), "b c d"],
        [() => fs.renameSync(join(folder, "b"), join(folder, "e")), "c d e"],
        [() => {
          fs.mkdirSync(join(folder, "f"))
          fs.utimesSync(folder, times.atime, times.mtime)
        }, "c d e f"]
      ]
      for (const wait of [false, true]) {
        for (const [change, then] of changes) {
          change()
          if (wait) yield* settled(folder)
          assert.strictEqual(yield* list, then)
          assert.strictEqual(yield* list, then)
        }
        fs.rmdirSync(join(folder, "f"))
        fs.rmSync(join(folder, "d"))
        fs.renameSync(join(folder, "e"), join(folder, "b"))
        fs.writeFileSync(join(folder, "a"), "")
      }
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      yield* run("touch", [join(mountpoint, "mine")])
      assert.strictEqual(yield* list, "a b c mine")
    }))

  it.live("that changes while it is listed again and again is never listed as it was before", () =>
    Effect.gen(function*() {
      const { folder, list } = yield* start
      yield* settled(folder)
      for (let i = 0; i < 60; i++) {
        const name = `n${String(i).padStart(2, "0")}`
        fs.writeFileSync(join(folder, name), "")
        assert.include(yield* list, name)
        fs.rmSync(join(folder, name))
        assert.notInclude(yield* list, name)
      }
    }))
})
