/** The mountpoint `/dev/fd/N`: a device that the caller has mounted. */
import { findMount } from "@bickford/transport"
import { assert, describe, it } from "@effect/vitest"
import { memory, mount } from "bickford"
import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bickford, makeMountpoint, root, start } from "./bickford.ts"
import { attempt, run, type RunOptions } from "./processes.ts"

/** The command as it is installed, which looks for the Node to run on. */
const installed = join(root, "packages", "bickford", "bin", "bickford.cjs")

/** A command that mounts a device, and becomes the program that follows, with the device as descriptor 9. */
const passing = (mountpoint: string): ReadonlyArray<string> => [
  "python3",
  join(root, "test", "mount", "passedDevice.py"),
  mountpoint
]

const withMountpoint = async (body: (mountpoint: string) => Promise<void>): Promise<void> => {
  const mountpoint = await makeMountpoint()
  try {
    await body(mountpoint)
  } finally {
    while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true })
  }
}

/** The processes in the background that serve a source. */
const serversOf = async (source: string): Promise<ReadonlyArray<number>> =>
  (await attempt("pgrep", ["-f", `mount .*${source}`])).stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map(Number)

/** Without its server a connection is over: whoever hangs in a call goes on. */
const watching = (source: string): RunOptions => ({
  onTimeout: async () => {
    for (const server of await serversOf(source)) process.kill(server, "SIGKILL")
    return "the server was killed"
  }
})

const withSource = async (body: (source: string, watched: RunOptions) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-passed-"))
  const source = `passthrough:${folder}`
  try {
    await body(source, watching(source))
  } finally {
    for (const server of await serversOf(source)) process.kill(server, "SIGKILL")
    await rm(folder, { recursive: true })
  }
}

const gone = async (source: string): Promise<void> => {
  while ((await serversOf(source)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe("a device that was passed on", () => {
  it("is served until its caller unmounts it", () =>
    withMountpoint(async (mountpoint) => {
      const served = await start("/dev/fd/9", ["-o", "size=1m"], "memory:", passing(mountpoint))
      const watched = { onTimeout: async () => String(served.server.kill("SIGKILL")) }
      assert.strictEqual(findMount(mountpoint)?.source, "passed")
      assert.strictEqual(await run("sh", ["-c", 'echo text >"$0/file"; cat "$0/file"', mountpoint], watched), "text\n")
      assert.match(await run("df", ["--output=size", "-k", mountpoint], watched), /\b1024$/m)
      await run("umount", [mountpoint], watched)
      assert.strictEqual(await served.end(), 0)
    }))

  // This Node goes on in its own place by execve; another one, too old, starts a child.
  for (const [how, program] of [
    ["by this Node", [process.execPath, installed]],
    ["by the Node of the path", [installed]]
  ] as const) {
    it(`is served in the background by the installed command, ${how}`, () =>
      withMountpoint((mountpoint) =>
        withSource(async (source, watched) => {
          const [command = "", ...args] = [
            ...passing(mountpoint),
            ...program,
            "mount",
            "--background",
            source,
            "/dev/fd/9"
          ]
          const { status, stderr } = await attempt(command, args, watched)
          assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
          assert.strictEqual(
            await run("sh", ["-c", 'echo text >"$0/file"; cat "$0/file"', mountpoint], watched),
            "text\n"
          )
          await run("umount", [mountpoint], watched)
          await gone(source)
        })
      ))
  }

  it("is served in the foreground by the installed command", () =>
    withMountpoint((mountpoint) =>
      withSource(async (source, watched) => {
        const [command = "", ...args] = [...passing(mountpoint), installed, "mount", source, "/dev/fd/9"]
        const server = attempt(command, args, watched)
        while (findMount(mountpoint) === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
        // Waits for INIT's answer.
        assert.strictEqual(
          await run("sh", ["-c", 'echo text >"$0/file"; cat "$0/file"', mountpoint], watched),
          "text\n"
        )
        await run("umount", [mountpoint], watched)
        assert.strictEqual((await server).status, 0)
      })
    ))

  it("comes from mount(8) with drop_privileges", () =>
    withMountpoint((mountpoint) =>
      withSource(async (source, watched) => {
        const programs = await mkdtemp(join(tmpdir(), "bickford-programs-"))
        try {
          await symlink(installed, join(programs, "bickford"))
          const script = `
            set -e
            mount --bind "$1" /usr/local/bin
            mount -t fuse.bickford -o drop_privileges,noexec "$2" "$0"
            grep " $0 fuse.bickford .*noexec" /proc/mounts
            echo text >"$0/file"
            cat "$0/file"
            umount "$0"`
          const { status, stderr, stdout } = await attempt(
            "unshare",
            ["--mount", "sh", "-c", script, mountpoint, programs, source],
            watched
          )
          assert.strictEqual(status, 0, stderr)
          assert.match(stdout, /\ntext\n$/)
          await gone(source)
        } finally {
          await rm(programs, { recursive: true })
        }
      })
    ))

  it("is an error where the descriptor is none, or no device", async () => {
    for (const flags of [[], ["--background"]]) {
      const none = await bickford(["mount", ...flags, "memory:", "/dev/fd/77"])
      assert.strictEqual(none.status, 1)
      assert.match(none.stderr, /^bickford: \/dev\/fd\/77 is not an open descriptor: .*EBADF/)
      const other = await bickford(["mount", ...flags, "memory:", "/dev/fd/0"])
      assert.strictEqual(other.status, 1)
      assert.match(other.stderr, /^bickford: \/dev\/fd\/0 is not a \/dev\/fuse: /)
    }
  })

  it("is nothing that a library mounts on", async () => {
    for (const place of ["/dev/fd/0", "/dev/fuse"]) {
      const refused = await mount(place, memory()).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.match(String(refused), new RegExp(`${place} is not a place to mount on`))
    }
  })
})
