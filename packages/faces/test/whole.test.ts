/** Open files of a filesystem that has whole files only: they live on under another name, and under none. */
import { assert, describe, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { Volume } from "memfs"
import { fromFs, type FsLike } from "../src/index.ts"

/** memfs without its handles. */
const whole = (): FsLike => {
  const { promises } = Volume.fromJSON({ "/d/file": "hello", "/other": "other" }, "/")
  return {
    stat: (path) => promises.stat(path),
    lstat: (path) => promises.lstat(path),
    readdir: (path) => promises.readdir(path),
    readFile: (path) => promises.readFile(path),
    writeFile: (path, data, options) => promises.writeFile(path, data, options),
    unlink: (path) => promises.unlink(path),
    rename: (path, newPath) => promises.rename(path, newPath)
  }
}

const opened = Effect.gen(function* () {
  const { kernel } = yield* FakeKernel.serve(fromFs(whole()))
  yield* kernel.init()
  const directory = yield* kernel.call({ op: "lookup", nodeid: 1, name: "d" })
  const { nodeid } = yield* kernel.call({ op: "lookup", nodeid: directory.nodeid, name: "file" })
  const { fh } = yield* kernel.call({ op: "open", nodeid, flags: 2, openFlags: 0 })
  const of = { nodeid, fh, lockOwner: 0, flags: 2 }
  return {
    kernel,
    read: Effect.map(kernel.call({ op: "read", ...of, offset: 0, size: 100, readFlags: 0 }), (data) =>
      Buffer.concat(data instanceof Uint8Array ? [data] : data).toString()
    ),
    write: (text: string) =>
      kernel.call({ op: "write", ...of, offset: 0, size: text.length, writeFlags: 0, data: Buffer.from(text) }),
    close: Effect.andThen(
      kernel.call({ op: "flush", nodeid, fh, lockOwner: 0 }),
      kernel.call({ op: "release", ...of, releaseFlags: 0 })
    )
  }
})

describe("an open file of a filesystem without handles", () => {
  it.live("goes along with a rename, of itself and of its directory", () =>
    Effect.gen(function* () {
      const { close, kernel, read, write } = yield* opened
      yield* kernel.rename("/d/file", "/d/moved")
      yield* kernel.rename("/d", "/e")
      yield* write("J")
      assert.strictEqual(yield* read, "Jello")
      yield* close
      assert.strictEqual(String(yield* kernel.readFile("/e/moved")), "Jello")
    })
  )

  it.live("lives on when it is removed, though nobody had looked into it", () =>
    Effect.gen(function* () {
      const { close, kernel, read, write } = yield* opened
      yield* kernel.unlink("/d/file")
      assert.strictEqual(yield* read, "hello")
      yield* write("J")
      assert.strictEqual(yield* read, "Jello")
      yield* close
      assert.deepStrictEqual([...(yield* kernel.readdir("/d"))], [])
    })
  )

  it.live("lives on when another takes its name", () =>
    Effect.gen(function* () {
      const { close, kernel, read, write } = yield* opened
      yield* kernel.rename("/other", "/d/file")
      assert.strictEqual(yield* read, "hello")
      yield* write("J")
      yield* close
      assert.strictEqual(String(yield* kernel.readFile("/d/file")), "other")
    })
  )
})
