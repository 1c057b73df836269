/** The end of a mount that is in use: everything asked is answered, and nothing is left. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { patienceMilliseconds } from "../patience.ts"
import { cleanUp, makeMountpoint, root, start } from "./bickford.ts"
import { ended, run } from "./processes.ts"

/**
 * Works in the mount until it is gone: creates, writes, reads, removes. The end is told by ENOENT alone (or
 * by `mounted` not being there): every other error is the program's end with 3.
 */
const client = `
cd /
while [ -e "$1/mounted" ]; do
  error=$( { echo text >"$1/$2" && [ "$(cat "$1/$2")" = text ] && rm "$1/$2"; } 2>&1 ) && continue
  case "$error" in *"No such file"*) ;; *) [ -e "$1/mounted" ] || exit 0; echo "$error"; exit 3;; esac
done`

const clients = (mountpoint: string): ReadonlyArray<ChildProcess> =>
  Array.from({ length: 4 }, (_, n) =>
    spawn("sh", ["-c", client, "sh", mountpoint, `file${n}`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, LC_ALL: "C" }
    })
  )

/** Their ends, each 0. */
const allEnd = async (programs: ReadonlyArray<ChildProcess>): Promise<void> => {
  for (const program of programs) {
    let said = ""
    program.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text))
    assert.deepStrictEqual(await ended(program), { status: 0, signal: null }, said)
  }
}

/** Aborts a mount that has not ended in time, so that nobody hangs in it. */
const watched = async (mountpoint: string, body: () => Promise<void>): Promise<void> => {
  const timer = setTimeout(() => {
    const entry = findMount(mountpoint)
    if (entry !== undefined)
      void writeFile(`/sys/fs/fuse/connections/${entry.device.slice(entry.device.indexOf(":") + 1)}/abort`, "1")
  }, patienceMilliseconds)
  try {
    await body()
  } finally {
    clearTimeout(timer)
  }
}

describe("an unmount during load", () => {
  it("destroy runs once, after the last reply; no fiber, thread or descriptor is left; the process ends with 0", async () => {
    const mountpoint = await makeMountpoint()
    const program = join(root, "test", "mount", "programs", "underLoad.ts")
    const server = spawn(process.execPath, ["--conditions=development", program, mountpoint], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    try {
      await watched(mountpoint, async () => {
        let said = ""
        server.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
        while (!said.includes("ready")) await once(server.stdout, "data")
        await run("touch", [join(mountpoint, "mounted")])
        const load = clients(mountpoint)
        // Each has had its turn.
        for (let n = 0; n < load.length; n++)
          await run("sh", ["-c", 'until [ -e "$1" ]; do :; done', "sh", join(mountpoint, `file${n}`)])
        server.kill("SIGTERM")
        assert.deepStrictEqual(await ended(server), { status: 0, signal: null })
        await allEnd(load)
        const report = JSON.parse(said.slice(said.indexOf("{")))
        assert.isAbove(report.calls, 20)
        assert.isAbove(report.mostFibers, 10, "fibers are counted")
        assert.deepInclude(report, {
          reason: "asked",
          destroyed: 1,
          callsAfterDestroy: 0,
          inFlightAtDestroy: 0,
          after: report.before,
          left: { handles: 0, inFlight: 0, nodes: 0 }
        })
      })
    } finally {
      server.kill("SIGKILL")
      await ended(server)
      await cleanUp(mountpoint, [])
    }
  })

  for (const [name, leave] of [
    ["SIGTERM to the server", (_: string, server: ChildProcess) => Promise.resolve(server.kill("SIGTERM"))],
    ["umount --lazy", (mountpoint: string) => run("umount", ["--lazy", mountpoint])]
  ] as const) {
    it(`${name}: no call fails, no mount is left, exit status 0`, async () => {
      const mountpoint = await makeMountpoint()
      const served = await start(mountpoint)
      try {
        await watched(mountpoint, async () => {
          await served.run("touch", [join(mountpoint, "mounted")])
          const load = clients(mountpoint)
          for (let n = 0; n < load.length; n++)
            await served.run("sh", ["-c", 'until [ -e "$1" ]; do :; done', "sh", join(mountpoint, `file${n}`)])
          await leave(mountpoint, served.server)
          assert.strictEqual(await served.end(), 0, served.log())
          assert.isUndefined(served.mounted())
          await allEnd(load)
          assert.strictEqual(served.log(), "")
        })
      } finally {
        await cleanUp(mountpoint, [served])
      }
    })
  }
})
