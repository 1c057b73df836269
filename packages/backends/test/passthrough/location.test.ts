/** Where the files of a served directory lie: deep down, moved, moved out, removed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { bytes, rootNode } from "../posix/kernel.ts"
import { comingBack, errnoOf, start } from "./servedFolder.ts"

type Kernel = Effect.Success<ReturnType<typeof start>>["kernel"]

/** `depth` directories, each in the one before; the node ids. */
const nested = (kernel: Kernel, name: string, depth: number) =>
  Effect.gen(function* () {
    const ids: Array<number | bigint> = [rootNode]
    for (let i = 0; i < depth; i++) {
      const { nodeid } = yield* kernel.mkdir({ nodeid: ids.at(-1) ?? rootNode, name })
      ids.push(nodeid)
    }
    return ids
  })

/** Asks until what is asked fails, as it must within the second for which a directory is trusted. */
const failing = <A, E extends { readonly _tag: string }>(ask: Effect.Effect<A, E>) =>
  Effect.repeat(Effect.andThen(Effect.sleep(20), Effect.result(ask)), {
    until: (result) => result._tag === "Failure"
  }).pipe(Effect.map((result) => (result._tag === "Failure" ? result.failure._tag : "ok")))

describe("directories beyond the longest path", () => {
  const name = "d".repeat(40)
  // 12,300 bytes of path.
  const depth = 300

  it.live("are reached, listed, changed and removed, however few descriptors are held", () =>
    Effect.gen(function* () {
      const { kernel } = yield* start({ maxDescriptors: 8 })
      const ids = yield* nested(kernel, name, depth)
      const last = ids.at(-1) ?? rootNode
      yield* kernel.create({ nodeid: last, name: "leaf" })
      yield* kernel.rename(last, "leaf", ids[200] ?? rootNode, "moved")
      assert.strictEqual((yield* kernel.lookup(ids[200] ?? rootNode, "moved")).attr.nlink, 1)
      yield* kernel.unlink(ids[200] ?? rootNode, "moved")
      // From the top again, each looked up in the one before, longer after it was trusted.
      yield* Effect.sleep(1100)
      for (let i = 0; i < depth; i++) {
        assert.strictEqual((yield* kernel.lookup(ids[i] ?? rootNode, name)).nodeid, ids[i + 1])
      }
      for (let i = depth; i > 0; i--) yield* kernel.rmdir(ids[i - 1] ?? rootNode, name)
    })
  )

  it.live("are outside when one above them is moved there", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      const ids = yield* nested(kernel, name, depth)
      fs.renameSync(join(served, name), join(outside, name))
      let n = 0
      for (const nodeid of [ids[depth], ids[1]]) {
        assert.strictEqual(
          yield* failing(
            Effect.suspend(() => comingBack(kernel.mkdir({ nodeid: nodeid ?? rootNode, name: `made${n++}` })))
          ),
          "ESTALE"
        )
      }
      fs.renameSync(join(outside, name), join(served, "back"))
      yield* comingBack(kernel.mkdir({ nodeid: ids[depth] ?? rootNode, name: "after" }))
      execFileSync("rm", ["-rf", join(served, "back")])
    })
  )
})

describe("a directory", () => {
  it.live("that is moved out is outside, whatever it is called there", () =>
    Effect.gen(function* () {
      const { kernel, outside, served } = yield* start()
      for (const name of ["dir", "dir (deleted)", "dir (deleted) (deleted)"]) {
        const { nodeid } = yield* kernel.mkdir({ name })
        fs.renameSync(join(served, name), join(outside, `${name} (deleted)`))
        let n = 0
        assert.strictEqual(
          yield* failing(Effect.suspend(() => comingBack(kernel.mkdir({ nodeid, name: `made${n++}` })))),
          "ESTALE",
          name
        )
        fs.writeFileSync(join(outside, `${name} (deleted)`, "later"), "")
        assert.strictEqual(yield* errnoOf(kernel.lookup(nodeid, "later")), "ESTALE")
      }
    })
  )

  it.live("that is removed while it is in use is empty, and takes no names", () =>
    Effect.gen(function* () {
      const { kernel } = yield* start()
      const { nodeid } = yield* kernel.mkdir({ name: "dir" })
      yield* kernel.rmdir(rootNode, "dir")
      yield* Effect.sleep(1100)
      assert.strictEqual(yield* errnoOf(kernel.lookup(nodeid, "name")), "ENOENT")
      assert.strictEqual(yield* errnoOf(comingBack(kernel.mkdir({ nodeid, name: "name" }))), "ENOENT")
      assert.strictEqual((yield* kernel.getattr(nodeid)).nlink, 0)
    })
  )
})

describe("a file", () => {
  it.effect("that the kernel has moved is found, though its descriptor is let go and nobody has looked it up", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start({ maxDescriptors: 4 })
      const make = (name: string) => Effect.map(kernel.mkdir({ name }), ({ nodeid }) => nodeid)
      const [from, to] = [yield* make("from"), yield* make("to")]
      const moved = yield* kernel.mknod({ nodeid: from, name: "moved" })
      const other = yield* kernel.mknod({ nodeid: from, name: "other" })
      yield* kernel.rename(from, "moved", to, "there")
      yield* kernel.mknod({ nodeid: to, name: "exchanged" })
      yield* kernel.rename(from, "other", to, "exchanged", 2)
      yield* kernel.rename(rootNode, "to", from, "below")
      for (let i = 0; i < 20; i++) yield* kernel.mknod({ name: `file${i}` })
      assert.strictEqual((yield* kernel.getattr(moved.nodeid)).ino, moved.attr.ino)
      assert.strictEqual((yield* kernel.getattr(other.nodeid)).ino, other.attr.ino)
      assert.strictEqual(fs.statSync(join(served, "from/below/exchanged")).ino, Number(other.attr.ino))
    })
  )

  it.effect("that is open is asked, whoever moves or removes it", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start({ maxDescriptors: 4 })
      for (const change of [
        (name: string) => fs.renameSync(join(served, name), join(served, `${name}-moved`)),
        (name: string) => fs.rmSync(join(served, name))
      ]) {
        const { attr, nodeid } = yield* kernel.mknod({ name: "file" })
        const { fh } = yield* kernel.open({ nodeid, flags: 2 })
        for (let i = 0; i < 20; i++) yield* kernel.mknod({ name: `file${i}` })
        change("file")
        assert.strictEqual((yield* kernel.getattr(nodeid)).ino, attr.ino)
        assert.strictEqual(yield* kernel.write(nodeid, 0, bytes("text"), { fh }), 4)
        yield* kernel.release({ nodeid, fh })
        for (let i = 0; i < 20; i++) yield* kernel.unlink(rootNode, `file${i}`)
      }
    })
  )
})
