/** The library for programs without Effect. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import { Errno, memory, mount, MountFailure, type Restart } from "bickford"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { oneFile } from "./oneFile.ts"
import { attempt, ended, run } from "./processes.ts"

const withFolder = async (body: (mountpoint: string) => Promise<void>): Promise<void> => {
  const mountpoint = await makeMountpoint()
  try {
    await body(mountpoint)
  } finally {
    await cleanUp(mountpoint, [])
  }
}

const refusal = async (promise: Promise<unknown>): Promise<MountFailure> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (!(error instanceof MountFailure)) throw new Error(`expected a MountFailure, not ${String(error)}`)
  return error
}

describe("mount, for promises", () => {
  it("mounts for a block, and unmounts at its end", () =>
    withFolder(async (mountpoint) => {
      const reasons: Array<string> = []
      {
        await using mounted = await mount(mountpoint, memory())
        mounted.on("end", ({ reason }) => reasons.push(reason))
        await run("sh", ["-c", 'echo text >"$1" && cat "$1"', "sh", join(mountpoint, "file")])
        assert.isDefined(findMount(mountpoint))
      }
      assert.isUndefined(findMount(mountpoint))
      assert.deepStrictEqual(reasons, ["asked"])
    }))

  it("tells why it ended, whoever ended it", () =>
    withFolder(async (mountpoint) => {
      const asked = await mount(mountpoint, memory())
      await asked.unmount()
      assert.strictEqual((await asked.ended).reason, "asked")
      const outside = await mount(mountpoint, memory())
      await run("umount", [mountpoint])
      assert.strictEqual((await outside.ended).reason, "unmounted")
    }))

  it("refuses a backend that declares writebackCache beside passthrough, by both names, and leaves no mount", () =>
    withFolder(async (mountpoint) => {
      const both = { ...memory(), capabilities: { passthrough: true, writebackCache: true } }
      const refused = await refusal(mount(mountpoint, both))
      assert.strictEqual(refused.code, "ERR_INVALID_ARG_VALUE")
      assert.match(refused.message, /writebackCache.*passthrough/)
      assert.isUndefined(findMount(mountpoint))
      const off = await mount(mountpoint, both, { session: { writebackCache: false } })
      assert.isDefined(findMount(mountpoint))
      await off.unmount()
    }))

  it("a busy mount is not unmounted unless lazily: an Error with Node's code, errno and syscall", () =>
    withFolder(async (mountpoint) => {
      const mounted = await mount(mountpoint, memory())
      // Not by `cwd`: the parent waits in spawn until the child has entered it, and here the parent serves it.
      const user = spawn("sh", ["-c", 'cd "$1" && echo there && exec cat', "sh", mountpoint], {
        stdio: ["pipe", "pipe", "ignore"]
      })
      await once(user.stdout, "data")
      const error = await refusal(mounted.unmount())
      assert.deepStrictEqual([error.code, error.errno, error.syscall], ["EBUSY", -16, "umount2"])
      const detached = mounted.unmount({ lazy: true })
      user.stdin.end()
      await detached
      await ended(user)
    }))

  it("what cannot be mounted is refused with what to do", () =>
    withFolder(async (mountpoint) => {
      const missing = await refusal(mount(join(mountpoint, "missing"), memory()))
      assert.deepStrictEqual([missing.code, missing.errno], ["ENOENT", -2])
      assert.include(missing.message, "does not exist")
      const wrong = await refusal(mount(mountpoint, memory(), { maxRead: -1 }))
      assert.strictEqual(wrong.code, "ERR_INVALID_ARG_VALUE")
      assert.include(wrong.message, "maxRead")
      const broken = await refusal(mount(mountpoint, { ...memory(), init: () => Effect.die(new Error("no database")) }))
      assert.strictEqual(broken.code, "ERR_MOUNT_ENDED")
      assert.include(broken.message, "no database")
      assert.isUndefined(findMount(mountpoint))
    }))

  it("an AbortSignal gives up, before and after", () =>
    withFolder(async (mountpoint) => {
      const reason: unknown = await mount(mountpoint, memory(), { signal: AbortSignal.abort() }).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.isTrue(reason instanceof Error && reason.name === "AbortError")
      const never = mount(mountpoint, Effect.never, { signal: AbortSignal.timeout(100) })
      const late: unknown = await never.then(
        () => undefined,
        (error: unknown) => error
      )
      assert.isTrue(late instanceof Error && late.name === "TimeoutError")
      assert.isUndefined(findMount(mountpoint))
      const stop = new AbortController()
      const mounted = await mount(mountpoint, memory(), { signal: stop.signal })
      stop.abort()
      assert.strictEqual((await mounted.ended).reason, "asked")
      assert.isUndefined(findMount(mountpoint))
    }))

  it("emits restart when a part fails", () =>
    withFolder(async (mountpoint) => {
      const broken = Deferred.makeUnsafe<void>()
      let instances = 0
      const backend = Effect.sync(() => {
        instances++
        return {
          ...oneFile({ read: () => Errno.EIO }),
          run: instances === 1 ? Effect.andThen(Deferred.await(broken), Effect.fail("gone")) : Effect.never
        }
      })
      await using mounted = await mount(mountpoint, backend)
      const restarts: Array<Restart> = []
      mounted.on("restart", (restart) => restarts.push(restart))
      const restarted = once(mounted, "restart")
      Deferred.doneUnsafe(broken, Effect.void)
      await restarted
      assert.deepStrictEqual(restarts[0], { part: "backend", error: "gone" })
      assert.include(
        (await attempt("cat", [join(mountpoint, "file")], { env: { ...process.env, LC_ALL: "C" } })).stderr,
        "Input/output error"
      )
    }))
})

it("the example's service has what was posted as files, and serves what was written", () =>
  withFolder(async (mountpoint) => {
    const server = spawn(
      process.execPath,
      ["--conditions=development", join(root, "examples", "service.ts"), mountpoint],
      { stdio: ["ignore", "pipe", "inherit"] }
    )
    try {
      let said = ""
      server.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
      const address = await new Promise<string>((resolve, reject) => {
        server.once("exit", () => reject(new Error(said)))
        server.stdout.on("data", () => {
          // The line after the address is there as well.
          const [, url] = /listening on (\S+)\ncurl .*\n/.exec(said) ?? []
          if (url !== undefined) resolve(url)
        })
      })
      const posted = await fetch(`${address}/hello`, {
        method: "POST",
        body: "from the web",
        headers: { "content-type": "text/plain" }
      })
      assert.strictEqual(posted.status, 204)
      assert.strictEqual(await run("cat", [join(mountpoint, "hello")]), "from the web")
      await run("sh", ["-c", 'echo from a program >"$1"', "sh", join(mountpoint, "other")])
      assert.strictEqual(await (await fetch(`${address}/other`)).text(), "from a program\n")
      assert.strictEqual((await fetch(`${address}/missing`)).status, 404)
      const [printed = "false"] = /^curl .*$/m.exec(said) ?? []
      assert.strictEqual(await run("sh", ["-c", printed]), "some text")
      assert.strictEqual(await run("cat", [join(mountpoint, "note")]), "some text")
      server.kill("SIGINT")
      assert.strictEqual((await ended(server)).status, 0)
      assert.include(said, "ended: asked")
    } finally {
      server.kill("SIGKILL")
      await ended(server)
    }
  }))
