/** The options of -o, by what they do. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { withMount } from "./bickford.ts"
import { attempt } from "./processes.ts"

describe("mount options", () => {
  it("uid, gid and umask: how every file is shown, whatever is stored", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-options-"))
    try {
      await writeFile(join(folder, "file"), "text")
      await withMount(async ({ mountpoint, run }) => {
        await run("mkdir", [join(mountpoint, "dir")])
        const shown = await run("stat", ["--format=%n %u %g %a", ".", "file", "dir"], { cwd: mountpoint })
        assert.strictEqual(shown, ". 1234 77 750\nfile 1234 77 750\ndir 1234 77 750\n")
        // The kernel checks what it is shown: root may do all, others what the mode says.
        const asOther = (command: string) => attempt("setpriv", ["--reuid=4321", "--regid=4321", "--clear-groups", "sh", "-c", command], { cwd: mountpoint })
        assert.notStrictEqual((await asOther("cat file")).status, 0)
        assert.strictEqual(await run("setpriv", ["--reuid=1234", "--regid=77", "--clear-groups", "cat", "file"], { cwd: mountpoint }), "text")
      }, ["-o", "uid=1234,gid=77,umask=027"], `passthrough:${folder}`)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("ro, fsname, subtype, max_read and noexec are the kernel's", () =>
    withMount(async ({ mounted, mountpoint, run }) => {
      const { options, source, superOptions, type } = mounted() ?? { options: "", source: "", superOptions: "", type: "" }
      assert.deepStrictEqual([source, type], ["a,name", "fuse.kind"])
      assert.match(options, /^ro,.*noexec/)
      assert.include(superOptions, "max_read=65536")
      const { stderr } = await attempt("touch", [join(mountpoint, "file")])
      assert.include(stderr, "Read-only")
      assert.strictEqual(await run("ls", [mountpoint]), "")
    }, ["-o", "ro,fsname=a\\,name,subtype=kind", "-o", "max_read=65536,noexec"]))

  it("max_readahead: how much is read before it is asked for", async () => {
    const readAhead = (args: ReadonlyArray<string>) =>
      withMount(async ({ mounted }) => Number(await readFile(`/sys/class/bdi/${mounted()?.device}/read_ahead_kb`, "utf8")), args)
    assert.strictEqual(await readAhead([]), 384)
    assert.strictEqual(await readAhead(["-o", "max_readahead=262144"]), 256)
    assert.strictEqual(await readAhead(["-o", "max_readahead=0"]), 0)
  })

  it("entry_timeout and attr_timeout: how long the kernel trusts what it was told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-options-"))
    const size = (timeouts: string) =>
      withMount(async ({ mountpoint, run }) => {
        await writeFile(join(folder, "file"), "a")
        const before = await run("stat", ["--format=%s", join(mountpoint, "file")])
        await writeFile(join(folder, "file"), "longer")
        return [before, await run("stat", ["--format=%s", join(mountpoint, "file")])]
      }, ["-o", timeouts], `passthrough:${folder}`)
    try {
      assert.deepStrictEqual(await size("entry_timeout=0,attr_timeout=0"), ["1\n", "6\n"])
      assert.deepStrictEqual(await size("entry_timeout=3600,attr_timeout=3600"), ["1\n", "1\n"])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
