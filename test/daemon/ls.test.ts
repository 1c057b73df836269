/** `bickford ls`: a daemon's mounts, a command's, and what is left of one. */
import { findMount } from "@bickford/transport"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { dirname, join } from "node:path"
import { bickford } from "../mount/bickford.ts"
import { ended } from "../mount/processes.ts"
import { bickfordCommand, mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

/** A `bickford mount` that serves. */
const served = (mountpoint: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const [program = "", ...args] = bickfordCommand
      const server = spawn(program, [...args, "mount", "memory:", mountpoint], { stdio: "ignore" })
      await until(async () => findMount(mountpoint), "the mount")
      return server
    }),
    (server) =>
      Effect.promise(async () => {
        server.kill("SIGKILL")
        await ended(server)
      })
  )

it.live("ls lists mounts, who serves them, and which are dead", () =>
  Effect.gen(function* () {
    const folder = yield* workFolder
    const [kept = "", alone = "", dead = ""] = yield* mountpoints(3)
    const source = `sqlite:${join(folder, "store")}`
    const daemon = yield* startDaemon(folder, [mountConfig("data", source, kept)])
    yield* Effect.promise(() => daemon.reaches("data", "running"))
    const server = yield* served(alone)
    const gone = yield* served(dead)
    gone.kill("SIGKILL")
    yield* Effect.promise(() => ended(gone))

    const listed = ["ls", "--runtime-directory", dirname(daemon.socket)]
    const { stdout } = yield* Effect.promise(() => bickford([...listed, "--json"]))
    const mounts: ReadonlyArray<{ readonly [key: string]: unknown }> = JSON.parse(stdout)
    const of = (mountpoint: string) => mounts.find((mount) => mount["mountpoint"] === mountpoint)
    assert.include(of(kept), { source, state: "alive", name: "data", type: "fuse.bickford" })
    assert.include(of(alone), { source: "memory:", state: "alive" })
    assert.isUndefined(of(alone)?.["name"])
    assert.include(of(dead), { state: "dead" })
    // Before Linux 6.18 the kernel does not tell.
    if (of(alone)?.["pid"] !== undefined) assert.strictEqual(of(alone)?.["pid"], server.pid)

    const text = yield* Effect.promise(() => bickford(listed))
    assert.match(text.stdout, /^MOUNTPOINT +SOURCE +STATE +SERVED BY$/m)
    const lineOf = (mountpoint: string) => text.stdout.split("\n").find((line) => line.startsWith(`${mountpoint} `))
    assert.match(lineOf(kept) ?? "", / alive +the daemon, as data/)
    assert.match(lineOf(dead) ?? "", / dead +nobody: /)
  })
)
