/** Names that lead into a filesystem that this thread serves: nothing is asked of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import { constants } from "node:os"
import { files, ownDevice } from "../src/index.ts"

const { EDEADLK } = constants.errno

/** As if this process served /proc, which is a mountpoint everywhere. */
const minorOf = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00)
const device = `0:${minorOf(statSync("/proc").dev)}`

const opened = (path: string) =>
  Effect.acquireRelease(
    Effect.sync(() => files.fs_open_folder(path)),
    (fd) => Effect.sync(() => files.fs_close(fd))
  )

const closed = (fd: number): number => (fd < 0 ? fd : files.fs_close(fd))

describe("ownDevice", () => {
  it.effect("has calls that follow a name refuse it, while the scope lasts", () =>
    Effect.gen(function* () {
      const root = yield* opened("/")
      const results = () => [
        files.fs_look(root, "proc"),
        closed(files.fs_find(root, "proc")),
        closed(files.fs_find_path(root, "proc")),
        closed(files.fs_find_path(root, "proc/sys"))
      ]
      assert.deepStrictEqual(results(), [0, 0, 0, 0])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* ownDevice(device)
          assert.deepStrictEqual(results(), [-EDEADLK, -EDEADLK, -EDEADLK, -EDEADLK])
        })
      )
      assert.deepStrictEqual(results(), [0, 0, 0, 0])
    })
  )

  it.effect("leaves other filesystems, and the ways to them, as they are", () =>
    Effect.gen(function* () {
      yield* ownDevice("0:1048575")
      const root = yield* opened("/")
      assert.strictEqual(files.fs_look(root, "proc"), 0)
      assert.strictEqual(closed(files.fs_find_path(root, "proc/sys/kernel")), 0)
    })
  )
})
