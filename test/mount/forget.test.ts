/** FORGET and BATCH_FORGET of a real kernel. */
import { assert, it } from "@effect/vitest"
import { Errno, observe } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

const trusted = { sec: 3600, nsec: 0 }
const files = 500

const entryOf = (nodeid: number) => ({
  nodeid,
  generation: 0,
  entryValid: trusted,
  attrValid: trusted,
  attr: {
    ino: nodeid,
    mode: nodeid === 2 ? 0o40755 : 0o100644,
    size: 0,
    blocks: 0,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 4096,
    flags: 0,
    atime: trusted,
    mtime: trusted,
    ctime: trusted
  }
})

it.live("a real kernel gives back what it was handed, in batches: a backend that counts comes out at zero", () =>
  Effect.gen(function* () {
    const counts = new Map<number, number>()
    let batches = 0
    const { mounted, mountpoint, run } = yield* serve(
      oneFile({
        lookup: ({ name, nodeid }) => {
          const found = nodeid === 1 && name === "d" ? 2 : nodeid === 2 ? 10 + Number(String(name).slice(1)) : 0
          if (found === 0) return Errno.ENOENT
          counts.set(found, (counts.get(found) ?? 0) + 1)
          return Exit.succeed(entryOf(found))
        },
        forget: (nodeid, nlookup, left) => {
          const count = (counts.get(Number(nodeid)) ?? 0) - nlookup
          assert.strictEqual(count, left)
          counts.set(Number(nodeid), count)
        }
      })
    )
    yield* observe(mounted.session.connection, {
      received: (row) => void (row.name === "BATCH_FORGET" && batches++),
      replied: () => {}
    })
    const held = () => [...counts.values()].reduce((sum, count) => sum + count, 0)
    for (let round = 0; batches === 0 && round < 20; round++) {
      yield* run("sh", ["-c", `cd "$1" && stat -c %i $(seq -f 'd/f%.0f' ${files})`, "sh", mountpoint])
      assert.isAtLeast(held(), files)
      // The directory's name goes, and with it all that is known below it.
      yield* mounted.session.notify.invalEntry(1, "d")
      yield* Effect.repeat(Effect.sleep(5), { until: () => held() === 0 })
    }
    assert.isAbove(batches, 0)
    assert.deepStrictEqual(
      [...counts.values()].filter((count) => count !== 0),
      []
    )
    assert.strictEqual(mounted.session.connection.nodes.size, 0)
  })
)
