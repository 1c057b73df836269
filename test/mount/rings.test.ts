/** Mounts that the kernel serves over io_uring: what they do, what they leave behind, and what follows where there is none. */
import { assert, describe, it } from "@effect/vitest"
import { memory } from "bickford"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root, start } from "./bickford.ts"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"
import { held } from "./held.ts"
import { offeringRings, withholdingRings } from "./enableUring.ts"
import { serveOnRings, startOnRings } from "./onRings.ts"
import { work } from "./shellWork.ts"

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: () => condition() })

describe("a mount on rings", () => {
  it.live("does a program's work, from every CPU, and forgets what is gone", () =>
    Effect.gen(function* () {
      const { mounted, mountpoint, run } = yield* serveOnRings(memory())
      for (const cpu of readdirSync("/sys/devices/system/cpu").filter((name) => /^cpu\d+$/.test(name))) {
        const said = yield* run("taskset", ["-c", cpu.slice(3), "sh", "-c", work, "sh", mountpoint])
        assert.strictEqual(said.trim(), "copy large link")
        yield* run("sh", ["-c", 'rm "$1"/*', "sh", mountpoint])
      }
      // FORGETs come by the device, and are read there.
      yield* until(() => mounted.session.connection.nodes.size === 0)
      assert.deepStrictEqual(mounted.session.connection.counters.malformed, 0)
    })
  )

  it.live("several programs at once get their own answers, and the event loop stays alive", () =>
    Effect.gen(function* () {
      const { mountpoint, run } = yield* serveOnRings(memory())
      let ticks = 0
      const timer = setInterval(() => ticks++, 10)
      yield* Effect.all(
        Array.from({ length: 4 }, (_, n) =>
          Effect.andThen(
            run("mkdir", [join(mountpoint, String(n))]),
            run("sh", ["-c", work, "sh", join(mountpoint, String(n))])
          )
        ),
        { concurrency: 4 }
      )
      const underLoad = ticks
      // Nobody asks anything: a timer alone ends the waiting.
      yield* until(() => ticks > underLoad + 5)
      clearInterval(timer)
      assert.isAbove(underLoad, 0)
    })
  )

  it.live("an operation that suspends keeps its own entry, and others are served", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<Uint8Array>()
      const { attempt, mountpoint, run } = yield* serveOnRings(
        oneFile({ read: () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer)) })
      )
      const reading = yield* Effect.forkChild(attempt("cat", [join(mountpoint, "file")]))
      yield* Deferred.await(asked)
      for (let n = 0; n < 20; n++) yield* run("stat", ["-f", mountpoint])
      yield* Deferred.succeed(answer, Buffer.from("late"))
      assert.strictEqual((yield* Fiber.join(reading)).stdout, "late")
    })
  )

  it.live("two in one process wait by epoll, and one of them alone by its ring again", () =>
    Effect.gen(function* () {
      const first = yield* serveOnRings(memory())
      yield* Effect.scoped(
        Effect.gen(function* () {
          const second = yield* serveOnRings(memory())
          yield* Effect.all(
            [first, second].map(({ mountpoint, run }) => run("sh", ["-c", work, "sh", mountpoint])),
            { concurrency: 2 }
          )
        })
      )
      yield* first.run("sh", ["-c", 'cmp "$1/large" "$1/link"', "sh", first.mountpoint])
    })
  )

  it.live("outlives its backend, which is started again", () =>
    Effect.gen(function* () {
      const fail = yield* Deferred.make<never, string>()
      let started = 0
      const kept = memory()
      const { attempt, mounted, mountpoint } = yield* serveOnRings(
        Effect.sync(() => ({ ...kept, ...(started++ === 0 ? { run: Deferred.await(fail) } : {}) }))
      )
      yield* attempt("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
      yield* Deferred.fail(fail, "the store is gone")
      yield* until(() => started === 2 && mounted.session.connection.backend !== undefined)
      assert.strictEqual((yield* attempt("cat", [join(mountpoint, "file")])).stdout, "text\n")
    })
  )

  it.live("leaves no descriptor, no mapping and no thread", () =>
    Effect.gen(function* () {
      const fresh = held()
      yield* Effect.scoped(serveOnRings(memory()))
      const before = held()
      assert.deepStrictEqual([before.descriptors, before.mappings], [fresh.descriptors, fresh.mappings])
      for (let n = 0; n < 25; n++)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { mountpoint, run } = yield* serveOnRings(memory())
            yield* run("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
          })
        )
      assert.deepStrictEqual(held(), before)
    })
  )

  it.live("aborted from outside, ends", () =>
    Effect.gen(function* () {
      const { attempt, mounted, mountpoint } = yield* serveOnRings(memory())
      yield* attempt("sh", ["-c", 'echo 1 > "/sys/fs/fuse/connections/$1/abort"', "sh", mounted.device.slice(2)])
      assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
      assert.notStrictEqual((yield* attempt("stat", ["-f", mountpoint])).status, null)
    })
  )
})

/** Works in the mount until that fails, as it does when the server is gone. */
const untilDeath = `cd "$1" || exit 0
i=0; while echo $i > "$2" && [ "$(cat "$2")" = $i ] && mkdir "d$2" && rmdir "d$2"; do i=$((i + 1)); done 2>/dev/null; exit 0`

describe("a server on rings that is killed", () => {
  it.live("under load, 5 times: whoever called gets an error, and nobody hangs", () =>
    Effect.promise(async () => {
      for (let n = 0; n < 5; n++) {
        const mountpoint = await makeMountpoint()
        const served = await startOnRings(mountpoint, [], "memory:")
        try {
          const clients = [1, 2, 3, 4].map((client) =>
            served.run("sh", ["-c", untilDeath, "sh", mountpoint, `file${client}`])
          )
          await served.run("sh", ["-c", 'until [ -e "$1/file1" ] && [ -e "$1/file4" ]; do :; done', "sh", mountpoint])
          served.server.kill("SIGKILL")
          await Promise.all(clients)
        } finally {
          await cleanUp(mountpoint, [served])
        }
      }
    })
  )
})

describe("where there are no rings", () => {
  it.live("a kernel that does not offer them is served by its device", () =>
    Effect.gen(function* () {
      const { descriptors } = held()
      const { mounted, mountpoint, run } = yield* withholdingRings(serve(memory(), { threads: "auto" }))
      assert.isFalse(mounted.session.connection.negotiated?.overIoUring)
      assert.strictEqual(held().descriptors, descriptors, "the ring that is not needed is kept")
      yield* run("sh", ["-c", work, "sh", mountpoint])
    })
  )

  it.live("a filter that denies io_uring leaves the device", () =>
    offeringRings(
      Effect.promise(async () => {
        const mountpoint = await makeMountpoint()
        const served = await start(mountpoint, ["-o", "max_threads=1"], "memory:", [
          "python3",
          join(root, "test", "mount", "denyUring.py")
        ])
        try {
          await served.run("sh", ["-c", work, "sh", mountpoint])
          assert.match(served.log(), /io_uring_setup: EPERM.*\/dev\/fuse/)
        } finally {
          await cleanUp(mountpoint, [served])
        }
      })
    )
  )
})
