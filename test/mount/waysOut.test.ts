/** Every way out leaves no mount; a dead mountpoint is taken over, a living one never. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { patienceMilliseconds } from "../patience.ts"
import { bickford, cleanUp, makeMountpoint, type Served, start, withMount } from "./bickford.ts"
import { attempt, ended, run } from "./processes.ts"

const ways: ReadonlyArray<readonly [string, (served: Served) => Promise<unknown>]> = [
  ["SIGINT", async ({ server }) => server.kill("SIGINT")],
  ["SIGTERM", async ({ server }) => server.kill("SIGTERM")],
  ["fusermount3 -u", ({ mountpoint }) => run("fusermount3", ["-u", mountpoint])],
  ["umount", ({ mountpoint }) => run("umount", [mountpoint])],
  [
    "bickford unmount",
    async ({ mountpoint }) => {
      const outcome = await bickford(["unmount", mountpoint])
      assert.deepStrictEqual([outcome.status, outcome.stderr], [0, ""])
    }
  ]
]

/** A process that has a file of the mount open, and the folder as its own. */
const occupy = async (mountpoint: string) => {
  const child = spawn("sh", ["-c", "exec 3>held; echo open; read line <&0; echo more >&3 && echo written"], {
    cwd: mountpoint,
    stdio: ["pipe", "pipe", "inherit"]
  })
  await once(child.stdout, "data")
  return child
}

const within = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + patienceMilliseconds
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe("ways out", () => {
  for (const [name, leave] of ways) {
    it(`${name}: no mount is left, exit status 0`, () =>
      withMount(async (served) => {
        await served.run("sh", ["-c", "echo text > file"], { cwd: served.mountpoint })
        await leave(served)
        assert.strictEqual(await served.end(), 0, served.log())
        assert.isUndefined(served.mounted())
        assert.strictEqual(served.log(), "")
      }))
  }

  it("a signal detaches a busy mount, which serves its user until the deadline", () =>
    withMount(async (served) => {
      const user = await occupy(served.mountpoint)
      served.server.kill("SIGTERM")
      await within("the mount is detached", () => served.mounted() === undefined)
      const said = once(user.stdout, "data")
      user.stdin.end("go\n")
      assert.strictEqual(String((await said)[0]).trim(), "written")
      await ended(user)
      assert.strictEqual(await served.end(), 0, served.log())
    }))

  it("a busy mount is not unmounted unless lazily, and says so", () =>
    withMount(async (served) => {
      const user = await occupy(served.mountpoint)
      const refused = await bickford(["unmount", served.mountpoint])
      assert.strictEqual(refused.status, 1)
      assert.match(refused.stderr, /^bickford: .* is busy; --lazy .*\n$/)
      assert.isDefined(served.mounted())
      assert.strictEqual((await bickford(["unmount", "--lazy", served.mountpoint])).status, 0)
      assert.isUndefined(served.mounted())
      user.stdin.end()
      await ended(user)
      assert.strictEqual(await served.end(), 0, served.log())
    }))
})

describe("a mountpoint in use", () => {
  it("a mount whose server was killed is dead; the next mount detaches it", async () => {
    const mountpoint = await makeMountpoint()
    const servers: Array<Served> = []
    try {
      const first = await start(mountpoint)
      servers.push(first)
      await first.run("sh", ["-c", "echo lost > file"], { cwd: mountpoint })
      first.server.kill("SIGKILL")
      assert.strictEqual(await first.end(), "SIGKILL")
      const dead = await attempt("stat", [join(mountpoint, "file")], { env: { ...process.env, LC_ALL: "C" } })
      assert.include(dead.stderr, "Transport endpoint is not connected")
      const second = await start(mountpoint)
      servers.push(second)
      assert.strictEqual(await second.run("ls", ["-A", mountpoint]), "")
      await second.run("sh", ["-c", "echo text > file"], { cwd: mountpoint })
      assert.strictEqual(await second.run("cat", [join(mountpoint, "file")]), "text\n")
      second.server.kill("SIGINT")
      assert.strictEqual(await second.end(), 0)
      assert.isUndefined(second.mounted())
    } finally {
      await cleanUp(mountpoint, servers)
    }
  })

  it("a mount that lives is never detached; the error says who holds it", () =>
    withMount(async (served) => {
      await served.run("sh", ["-c", "echo kept > file"], { cwd: served.mountpoint })
      const device = served.mounted()?.device
      const refused = await bickford(["mount", "memory:", served.mountpoint])
      assert.strictEqual(refused.status, 1)
      assert.include(refused.stderr, `${served.mountpoint} is already a mountpoint: fuse.bickford`)
      assert.strictEqual(refused.stderr.split("\n").length, 2)
      assert.strictEqual(served.mounted()?.device, device)
      assert.strictEqual(await served.run("cat", [join(served.mountpoint, "file")]), "kept\n")
    }))

  it("a mount of another kind is neither covered nor unmounted", async () => {
    const mountpoint = await makeMountpoint()
    try {
      await run("mount", ["-t", "tmpfs", "other", mountpoint])
      const refused = await bickford(["mount", "memory:", mountpoint])
      assert.strictEqual(refused.status, 1)
      assert.include(refused.stderr, "tmpfs (source other")
      const kept = await bickford(["unmount", mountpoint])
      assert.strictEqual(kept.status, 1)
      assert.include(kept.stderr, "tmpfs (source other")
      assert.include(await run("findmnt", ["-n", "-o", "SOURCE", mountpoint]), "other")
    } finally {
      await cleanUp(mountpoint, [])
    }
  })
})
