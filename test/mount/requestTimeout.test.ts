/**
 * `requestTimeout`: the kernel aborts the connection over a call that is not answered, and tells the server so by ENODEV, as of
 * an unmount. It looks every 15 seconds (FUSE_TIMEOUT_TIMER_FREQ in fs/fuse), so all of them wait at once.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Session } from "@bickford/session"
import { findMount, makeDeviceTransport, mountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeMountpoint, root, start } from "./bickford.ts"
import { commandsOn, mountpointFolder, serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"
import { attempt, run } from "./processes.ts"

/** Answers no read until `stuck` is false. */
const stuckFile = (stuck: () => boolean): Backend =>
  oneFile({ read: () => (stuck() ? Effect.never : Exit.succeed(Buffer.from("hello"))) })

const options = { session: { requestTimeout: 1, maxRestarts: 0 } } as const
const letGo = /Software caused connection abort|not connected/

/** A module with a filesystem that answers no lookup. */
const stuckModule = `
import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
import * as Exit from ${JSON.stringify(import.meta.resolve("effect/Exit"))}
const epoch = { sec: 0, nsec: 0 }
const attr = { ino: 1, mode: 0o40755, size: 0, blocks: 0, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, flags: 0, atime: epoch, mtime: epoch, ctime: epoch }
export const backend = { getattr: () => Exit.succeed({ attrValid: epoch, attr }), lookup: () => Effect.never }
`

/** Runs the body with the module's path and a mountpoint. */
const withStuckModule = async (body: (module: string, mountpoint: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-timeout-"))
  const mountpoint = await makeMountpoint()
  try {
    const module = join(folder, "stuck.mjs")
    await writeFile(module, stuckModule)
    await body(module, mountpoint)
  } finally {
    while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true })
    await rm(folder, { recursive: true })
  }
}

/** The command ends as of a failure when the kernel aborts its connection. */
const commandFails = (place: (mountpoint: string) => string, through: (mountpoint: string) => ReadonlyArray<string>) =>
  withStuckModule(async (module, mountpoint) => {
    const served = await start(place(mountpoint), ["-o", "request_timeout=1"], `module:${module}`, through(mountpoint))
    try {
      const kill = { onTimeout: async () => String(served.server.kill("SIGKILL")) }
      const { stderr } = await attempt("stat", [join(mountpoint, "any")], kill)
      assert.match(stderr, letGo)
      assert.strictEqual(await served.end(), 1)
      assert.include(served.log(), "the connection was aborted")
    } finally {
      served.server.kill("SIGKILL")
    }
  })

describe.concurrent("a call that the kernel waits for in vain", () => {
  it.live("ends the mount as aborted, and leaves none", () =>
    Effect.gen(function* () {
      const { attempt, mounted, mountpoint } = yield* serve(
        stuckFile(() => true),
        options
      )
      assert.strictEqual((yield* mounted.session.negotiated).requestTimeout, 1)
      assert.match((yield* attempt("cat", [join(mountpoint, "file")])).stderr, letGo)
      assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live("is followed by a new mount, where that was asked for", () =>
    Effect.gen(function* () {
      let stuck = true
      const { attempt, mounted, mountpoint, run } = yield* serve(
        stuckFile(() => stuck),
        { ...options, remount: "onAbort" }
      )
      assert.match((yield* attempt("cat", [join(mountpoint, "file")])).stderr, letGo)
      stuck = false
      const ended = yield* Effect.raceFirst(
        Effect.map(mounted.awaitEnd, ({ reason }) => reason),
        Effect.as(Effect.repeat(Effect.sleep(5), { until: () => mounted.remounts === 1 }), "remounted")
      )
      assert.strictEqual(ended, "remounted")
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
    })
  )

  it.live("ends a session over a device that was mounted by somebody else as aborted", () =>
    Effect.gen(function* () {
      const mountpoint = yield* mountpointFolder
      const { attempt, run } = commandsOn(mountpoint)
      const { handle } = yield* mountDevice({ mountpoint, allowOther: true })
      const transport = yield* makeDeviceTransport(handle)
      const session = yield* Session.make(
        transport,
        stuckFile(() => true),
        options.session
      )
      assert.match((yield* attempt("cat", [join(mountpoint, "file")])).stderr, letGo)
      assert.strictEqual((yield* session.awaitEnd).reason, "aborted")
      yield* run("umount", [mountpoint])
    })
  )

  it("is the failure of a command", () =>
    commandFails(
      (mountpoint) => mountpoint,
      () => []
    ))

  it("is the failure of a command that serves a device which it was given", () =>
    commandFails(
      () => "/dev/fd/9",
      (mountpoint) => ["python3", join(root, "test/mount/passedDevice.py"), mountpoint]
    ))
})

it.live("an unmount of a device that was mounted by somebody else is none", () =>
  Effect.gen(function* () {
    const mountpoint = yield* mountpointFolder
    const { handle } = yield* mountDevice({ mountpoint })
    const session = yield* Session.make(yield* makeDeviceTransport(handle), oneFile())
    yield* session.negotiated
    const unmounting = yield* Effect.forkChild(commandsOn(mountpoint).run("umount", [mountpoint]))
    assert.strictEqual((yield* session.awaitEnd).reason, "unmounted")
    yield* Fiber.join(unmounting)
  })
)
