/** Mounts that several isolates were to serve, where that cannot be: the mounting thread serves them by the device, and says why. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough } from "@bickford/backends"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import type { IsolateData } from "../../packages/session/src/isolates/messages.ts"
import { cleanUp, makeMountpoint, root, start } from "./bickford.ts"
import { offeringRings, withholdingRings } from "./enableUring.ts"
import { held } from "./held.ts"
import { serve } from "./inProcess.ts"
import { changeIsolates, isolateThreads } from "./isolateThreads.ts"
import { work } from "./shellWork.ts"

vi.mock("../../packages/session/src/isolates/startIsolateThread.ts", () => import("./isolateThreads.ts"))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-fallback-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** Mounts a directory that several isolates may serve, works in it, and gives what was logged. */
const servedByDevice = (offering: typeof offeringRings) =>
  Effect.gen(function* () {
    const said: Array<string> = []
    const logger = Logger.make(({ message }) => void said.push(String(message)))
    const directory = yield* folder
    const before = held().descriptors
    const { mounted, mountpoint, run } = yield* offering(
      serve(passthrough(directory, { shared: true }), { threads: "auto" })
    ).pipe(Effect.provide(Logger.layer([logger])))
    const { connection } = mounted.session
    assert.isFalse(connection.negotiated?.overIoUring)
    assert.strictEqual(connection.isolates?.serving() ?? 0, 0)
    // The rings that are not needed are gone with their threads.
    yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => isolateThreads.size === 0 })
    assert.strictEqual(held().descriptors, before)
    assert.strictEqual((yield* run("sh", ["-c", work, "sh", mountpoint])).trim(), "copy large link")
    return said.join("\n")
  })

type Change = Parameters<typeof changeIsolates>[0]

/** An isolate that is told to serve something else. */
const serving =
  (change: (data: IsolateData) => Partial<IsolateData>): Change =>
  (given) => ({ ...given, serve: (data) => ({ ...data, ...change(data) }) })

/** An isolate of another module. */
const startingWith =
  (module: string): Change =>
  (given) => ({ ...given, start: { ...given.start, module } })

/** What goes wrong in each isolate but the first, and how that is told. */
const lacks: { readonly [what: string]: readonly [change: Change, told: RegExp] } = {
  "memory for its entries": [serving(() => ({ memory: 0xffff_fffe })), /io_uring: .*ENOENT/],
  "a queue that there is": [serving(({ queues }) => ({ queues: queues.map(() => 0xfff0) })), /io_uring: .*EINVAL/],
  "the device": [serving(() => ({ device: -1 })), /io_uring: .*failed to start: ./],
  "a CPU to run on": [serving(() => ({ cpus: [0xfff0] })), /io_uring: .*EINVAL/],
  "its module": [startingWith("file:///there/is/none.ts"), /io_uring: .*none\.ts/],
  "a module that does not end it": [
    startingWith("data:text/javascript,process.exit(3)"),
    /io_uring: .*the thread ended with 3/
  ]
}

describe("a mount that several isolates were to serve", () => {
  for (const [what, [change, told]] of Object.entries(lacks)) {
    it.live(`is served by its device when one of them lacks ${what}`, () =>
      Effect.gen(function* () {
        changeIsolates((given, others) => (others === 0 ? given : change(given, others)))
        const said = yield* servedByDevice(offeringRings)
        assert.match(said, told)
        assert.match(said, /the kernel delivers requests by \/dev\/fuse instead/)
      }).pipe(Effect.ensuring(Effect.sync(() => changeIsolates((given) => given))))
    )
  }

  it.live("is served by its device when the kernel does not offer rings", () =>
    Effect.gen(function* () {
      assert.match(yield* servedByDevice(withholdingRings), /the kernel does not offer FUSE_OVER_IO_URING/)
    })
  )

  it.live("is served by its device under a filter that denies io_uring", () =>
    offeringRings(
      Effect.promise(async () => {
        const mountpoint = await makeMountpoint()
        const directory = mkdtempSync(join(tmpdir(), "bickford-fallback-"))
        const deny = ["python3", join(root, "test", "mount", "denyUring.py")]
        const served = await start(mountpoint, ["-o", "max_threads=2"], `passthrough:${directory}`, deny)
        try {
          await served.run("sh", ["-c", work, "sh", mountpoint])
          assert.match(served.log(), /io_uring_setup: EPERM.*\/dev\/fuse/)
        } finally {
          await cleanUp(mountpoint, [served])
          rmSync(directory, { recursive: true })
        }
      })
    )
  )
})
