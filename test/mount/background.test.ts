/** Mounts that outlive the program that made them: --background, mount(8), fstab. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bickford, makeMountpoint, root } from "./bickford.ts"
import { attempt, run } from "./processes.ts"

/** Gives `body` a mountpoint and a folder that holds `bickford`; leaves neither mount nor folder. */
const withPlaces = async (body: (mountpoint: string, folder: string) => Promise<void>): Promise<void> => {
  const mountpoint = await makeMountpoint()
  const folder = await mkdtemp(join(tmpdir(), "bickford-background-"))
  try {
    await symlink(join(root, "packages", "bickford", "bin", "bickford.cjs"), join(folder, "bickford"))
    await body(mountpoint, folder)
  } finally {
    while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
    await rm(folder, { recursive: true })
    await rm(mountpoint, { recursive: true })
  }
}

/** The processes that serve a mountpoint: those that have it in their command line. */
const servers = async (mountpoint: string): Promise<ReadonlyArray<string>> =>
  (await attempt("pgrep", ["-f", `mount .*${mountpoint}`])).stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")

const gone = async (mountpoint: string): Promise<void> => {
  while ((await servers(mountpoint)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe("a mount in the background", () => {
  it("is there when the command returns, and is served until it is unmounted", () =>
    withPlaces(async (mountpoint, folder) => {
      const { status, stderr, stdout } = await bickford([
        "mount",
        "--background",
        `sqlite:${join(folder, "store")}`,
        mountpoint
      ])
      assert.deepStrictEqual({ status, stderr, stdout }, { status: 0, stderr: "", stdout: "" })
      assert.strictEqual(findMount(mountpoint)?.source, `sqlite:${join(folder, "store")}`)
      await run("sh", ["-c", 'echo text >"$0/file"', mountpoint])
      await run("umount", [mountpoint])
      await gone(mountpoint)
      await bickford(["mount", "--background", `sqlite:${join(folder, "store")}`, mountpoint])
      assert.strictEqual(await run("cat", [join(mountpoint, "file")]), "text\n", "it is there the next time")
      await run("umount", [mountpoint])
      await gone(mountpoint)
    }))

  it("that cannot be made is an error of the command, and leaves nothing", () =>
    withPlaces(async (mountpoint, folder) => {
      for (const [source, why] of [
        ["nothing:", /unknown source/],
        [`passthrough:${folder}/none`, /cannot be served/],
        ["memory:", undefined]
      ] as const) {
        const place = why === undefined ? join(folder, "none") : mountpoint
        const { status, stderr } = await bickford(["mount", "--background", source, place])
        assert.strictEqual(status, 1)
        assert.match(stderr, why ?? /none/)
        assert.deepStrictEqual(await servers(place), [])
      }
      assert.isUndefined(findMount(mountpoint))
    }))

  it("is there when the command returns, whatever its module does with Node's own channel", () =>
    withPlaces(async (mountpoint, folder) => {
      const module = join(folder, "backend.mjs")
      await writeFile(
        module,
        `process.send?.({ failed: "as if" })
        process.disconnect?.()
        export const backend = { getattr: () => { throw 5 }, mark: process.env.BICKFORD_BACKGROUND }
        if (backend.mark !== undefined) throw new Error("a program that it starts would tell, too")`
      )
      const { status, stderr } = await bickford(["mount", "--background", `module:${module}`, mountpoint])
      assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
      assert.isDefined(findMount(mountpoint))
      await run("umount", [mountpoint])
      await gone(mountpoint)
    }))

  it("that says nothing any more before it is mounted is ended, and an error of the command", () =>
    withPlaces(async (mountpoint, folder) => {
      const module = join(folder, "backend.mjs")
      await writeFile(
        module,
        `import { closeSync } from "node:fs"
        closeSync(3)
        await new Promise((resolve) => setInterval(resolve, 2 ** 30))`
      )
      const { status, stderr } = await bickford(["mount", "--background", `module:${module}`, mountpoint])
      assert.strictEqual(status, 1)
      assert.include(stderr, "closed its channel before it was mounted")
      assert.deepStrictEqual(await servers(mountpoint), [])
      assert.isUndefined(findMount(mountpoint))
    }))

  it("auto_unmount: a server that is killed leaves no dead mountpoint", () =>
    withPlaces(async (mountpoint) => {
      await bickford(["mount", "--background", "-o", "auto_unmount", "memory:", mountpoint])
      const [server = ""] = await servers(mountpoint)
      process.kill(Number(server), "SIGKILL")
      while (findMount(mountpoint) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20))
    }))

  it("mount -t fuse.bickford and a line of fstab mount it, with the options that they know", () =>
    withPlaces(async (mountpoint, folder) => {
      const table = join(folder, "fstab")
      await writeFile(
        table,
        `passthrough:${folder} ${mountpoint} fuse.bickford defaults,noauto,x-systemd.automount,noatime,attr_timeout=0 0 0\n`
      )
      // mount.fuse3 looks for the program in the system's folders: one of them is this one here, for these commands alone.
      const script = `
        set -e
        mount --bind "$1" /usr/local/bin
        mount -t fuse.bickford memory: "$0" -o size=1m,noexec,nofail
        grep " $0 fuse.bickford .*noexec" /proc/mounts
        df --output=size -k "$0"
        umount "$0"
        mount -T "$1/fstab" "$0"
        grep " $0 fuse.bickford .*noatime" /proc/mounts
        cat "$0/fstab"
        umount "$0"
        ! mount -t fuse.bickford memory: "$0" -o siz=1m`
      const { status, stderr, stdout } = await attempt("unshare", ["--mount", "sh", "-c", script, mountpoint, folder])
      assert.strictEqual(status, 0, stderr)
      assert.match(stdout, /^memory: [^\n]*\n1K-blocks\n +1024\n/)
      assert.include(stdout, await readFile(table, "utf8"))
      assert.include(stderr, "did you mean size?")
      await gone(mountpoint)
    }))
})
