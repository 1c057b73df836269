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
      await withMount(
        async ({ mountpoint, run }) => {
          await run("mkdir", [join(mountpoint, "dir")])
          const shown = await run("stat", ["--format=%n %u %g %a", ".", "file", "dir"], { cwd: mountpoint })
          assert.strictEqual(shown, ". 1234 77 750\nfile 1234 77 750\ndir 1234 77 750\n")
          // The kernel checks what it is shown: root may do all, others what the mode says.
          const asOther = (command: string) =>
            attempt("setpriv", ["--reuid=4321", "--regid=4321", "--clear-groups", "sh", "-c", command], {
              cwd: mountpoint
            })
          assert.notStrictEqual((await asOther("cat file")).status, 0)
          assert.strictEqual(
            await run("setpriv", ["--reuid=1234", "--regid=77", "--clear-groups", "cat", "file"], { cwd: mountpoint }),
            "text"
          )
        },
        ["-o", "uid=1234,gid=77,umask=027"],
        `passthrough:${folder}`
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("ro, fsname, subtype, max_read and noexec are the kernel's", () =>
    withMount(
      async ({ mounted, mountpoint, run }) => {
        const { options, source, superOptions, type } = mounted() ?? {
          options: "",
          source: "",
          superOptions: "",
          type: ""
        }
        assert.deepStrictEqual([source, type], ["a,name", "fuse.kind"])
        assert.match(options, /^ro,.*noexec/)
        assert.include(superOptions, "max_read=65536")
        const { stderr } = await attempt("touch", [join(mountpoint, "file")])
        assert.include(stderr, "Read-only")
        assert.strictEqual(await run("ls", [mountpoint]), "")
      },
      ["-o", "ro,fsname=a\\,name,subtype=kind", "-o", "max_read=65536,noexec"]
    ))

  it("suid and dev take effect where root mounts; without them neither does", async () => {
    const honoured = (args: ReadonlyArray<string>) =>
      withMount(async ({ mounted, mountpoint, run }) => {
        const program = join(mountpoint, "id")
        await run("cp", ["/usr/bin/id", program])
        await run("chmod", ["4755", program])
        await run("mknod", ["-m", "666", join(mountpoint, "null"), "c", "1", "3"])
        const uid = await run("setpriv", ["--reuid=4321", "--regid=4321", "--clear-groups", program, "-u"])
        const device = await attempt("cat", [join(mountpoint, "null")])
        return [uid.trim(), device.status === 0, mounted()?.options]
      }, args)
    assert.deepStrictEqual(await honoured(["-o", "suid,dev"]), ["0", true, "rw,relatime"])
    assert.deepStrictEqual(await honoured(["-o", "suid", "-o", "dev,nosuid,nodev"]), [
      "4321",
      false,
      "rw,nosuid,nodev,relatime"
    ])
  })

  it("sync, dirsync and nosymfollow are the kernel's", () =>
    withMount(
      async ({ mounted, mountpoint, run }) => {
        const { options, superOptions } = mounted() ?? { options: "", superOptions: "" }
        assert.match(options, /\bnosymfollow\b/)
        assert.match(superOptions, /^rw,sync,dirsync,/)
        await run("ln", ["-s", "/etc/passwd", join(mountpoint, "link")])
        assert.include((await attempt("cat", [join(mountpoint, "link")])).stderr, "Too many levels")
      },
      ["-o", "sync,dirsync,nosymfollow"]
    ))

  it("allow_root: root may use it, and the user who mounts, and nobody else", () =>
    withMount(
      async ({ mountpoint, run }) => {
        await run("sh", ["-c", 'echo text >"$0"; chmod 644 "$0"', join(mountpoint, "file")])
        assert.strictEqual(await run("cat", [join(mountpoint, "file")]), "text\n")
        for (const command of [`ls ${mountpoint}`, `cat ${mountpoint}/file`, `cat ${mountpoint}/other`]) {
          const { stderr } = await attempt("setpriv", [
            "--reuid=4321",
            "--regid=4321",
            "--clear-groups",
            "sh",
            "-c",
            command
          ])
          assert.include(stderr, "Permission denied", command)
        }
      },
      ["-o", "allow_other,allow_root"]
    ))

  it("fmask and dmask: in place of umask", () =>
    withMount(
      async ({ mountpoint, run }) => {
        await run("mkdir", [join(mountpoint, "dir")])
        await run("touch", [join(mountpoint, "file")])
        assert.strictEqual(
          await run("stat", ["--format=%n %a", "dir", "file"], { cwd: mountpoint }),
          "dir 750\nfile 644\n"
        )
      },
      ["-o", "umask=777,fmask=133,dmask=27"]
    ))

  it("max_write, max_background, congestion_threshold, sync_read: what INIT is answered; debug shows it", () =>
    withMount(
      async ({ log, mounted, run, mountpoint }) => {
        await run("ls", [mountpoint])
        const control = `/sys/fs/fuse/connections/${mounted()?.device.split(":")[1]}`
        assert.strictEqual((await readFile(join(control, "max_background"), "utf8")).trim(), "9")
        assert.strictEqual((await readFile(join(control, "congestion_threshold"), "utf8")).trim(), "5")
        await run("dd", ["if=/dev/zero", `of=${join(mountpoint, "file")}`, "bs=65536", "count=1"])
        // Cut to what was agreed on: the last piece begins at the third quarter.
        while (!/WRITE .*offset=49152 size=16384/.test(log())) await new Promise((resolve) => setTimeout(resolve, 20))
      },
      ["-o", "max_write=16384,max_background=9,congestion_threshold=5,sync_read,debug"]
    ))

  it("negative_timeout: how long the kernel trusts that a name of a directory is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-options-"))
    const seen = (timeouts: string) =>
      withMount(
        async ({ mountpoint }) => {
          const file = join(mountpoint, timeouts)
          const before = await attempt("stat", [file])
          await writeFile(join(folder, timeouts), "")
          return [before.status, (await attempt("stat", [file])).status]
        },
        ["-o", timeouts],
        `passthrough:${folder}`
      )
    try {
      assert.deepStrictEqual(await seen("negative_timeout=0"), [1, 0])
      assert.deepStrictEqual(await seen("negative_timeout=3600"), [1, 1])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("max_readahead: how much is read before it is asked for", async () => {
    const readAhead = (args: ReadonlyArray<string>) =>
      withMount(
        async ({ mounted }) => Number(await readFile(`/sys/class/bdi/${mounted()?.device}/read_ahead_kb`, "utf8")),
        args
      )
    assert.strictEqual(await readAhead([]), 384)
    assert.strictEqual(await readAhead(["-o", "max_readahead=262144"]), 256)
    assert.strictEqual(await readAhead(["-o", "max_readahead=0"]), 0)
  })

  it("entry_timeout and attr_timeout: how long the kernel trusts what it was told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-options-"))
    const size = (timeouts: string) =>
      withMount(
        async ({ mountpoint, run }) => {
          await writeFile(join(folder, "file"), "a")
          const before = await run("stat", ["--format=%s", join(mountpoint, "file")])
          await writeFile(join(folder, "file"), "longer")
          return [before, await run("stat", ["--format=%s", join(mountpoint, "file")])]
        },
        ["-o", timeouts],
        `passthrough:${folder}`
      )
    try {
      assert.deepStrictEqual(await size("entry_timeout=0,attr_timeout=0"), ["1\n", "6\n"])
      assert.deepStrictEqual(await size("entry_timeout=3600,attr_timeout=3600"), ["1\n", "1\n"])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
