/** `bickford mount sqlite:PATH` on the real kernel: what lasts, who may have it, and a disk that is full. */
import { assert, describe, it } from "@effect/vitest"
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { bickford, type Served, withMount } from "./bickford.ts"
import { attempt, run } from "./processes.ts"

/** Gives `body` the path of a store that is not there yet. */
const withStore = async (body: (path: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-store-"))
  try {
    await body(join(folder, "store"))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const fsck = async (path: string): Promise<string> => {
  const { status, stderr, stdout } = await bickford(["fsck", path])
  assert.deepStrictEqual([status, stderr], [0, ""], stdout)
  return stdout
}

describe("a store", () => {
  it("is there again after an unmount, and after its server was killed", () =>
    withStore(async (path) => {
      const source = `sqlite:${path}`
      await withMount(
        async ({ mountpoint, run }) => {
          await run("sh", ["-c", "mkdir d && echo text > d/file && ln -s file d/link && chmod 640 d/file"], {
            cwd: mountpoint
          })
        },
        [],
        source
      )
      assert.match(await fsck(path), /clean, 4 inodes, 4096 bytes/)
      await withMount(
        async ({ end, mountpoint, run, server }) => {
          assert.strictEqual(await run("cat", [join(mountpoint, "d", "link")]), "text\n")
          assert.strictEqual(await run("stat", ["-c", "%a", join(mountpoint, "d", "file")]), "640\n")
          await run("sh", ["-c", "echo more > other; sync other"], { cwd: mountpoint })
          server.kill("SIGKILL")
          await end()
        },
        [],
        source
      )
      assert.match(await fsck(source), /clean, 5 inodes/)
      await withMount(
        async ({ mountpoint, run }) => {
          assert.strictEqual(await run("cat", [join(mountpoint, "other")]), "more\n")
        },
        [],
        source
      )
    }))

  it("that is served is refused, with the server's process", () =>
    withStore((path) =>
      withMount(
        async ({ server }) => {
          // Any place will do: it is not mounted on.
          for (const args of [
            ["fsck", path],
            ["mount", `sqlite:${path}`, "/proc"]
          ]) {
            const { status, stderr } = await bickford(args)
            assert.strictEqual(status, 1)
            assert.include(stderr, `is in use by process ${server.pid} (`)
            assert.strictEqual(stderr.split("\n").length, 2)
          }
        },
        [],
        `sqlite:${path}`
      )
    ))

  it("needs a path, and a place that is there", async () => {
    for (const source of ["sqlite:", "sqlite:/nowhere/at/all"]) {
      const { status, stderr } = await bickford(["mount", source, tmpdir()])
      assert.strictEqual(status, 1)
      assert.match(stderr, /^bickford: .*\n$/)
    }
    const none = await bickford(["fsck", "/nowhere/store"])
    assert.deepStrictEqual([none.status, none.stderr], [1, "bickford: /nowhere/store: is not there\n"])
  })
})

describe("a full disk", () => {
  type Kind = "tmpfs" | "ext4"

  /** A disk of `size` MiB. For ext4 it takes mkfs.ext4 (e2fsprogs) and a loop device. */
  const withDisk = async (kind: Kind, size: number, body: (disk: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-disk-"))
    const [image, disk] = [join(folder, "image"), join(folder, "disk")]
    await mkdir(disk)
    try {
      if (kind === "tmpfs") await run("mount", ["-t", "tmpfs", "-o", `size=${size}m`, "small", disk])
      else {
        await run("truncate", ["-s", `${size}M`, image])
        await run("mkfs.ext4", ["-q", "-F", "-m", "0", image])
        await run("mount", ["-o", "loop", image, disk])
      }
      try {
        await body(disk)
      } finally {
        await run("umount", [disk])
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const onSmallDisk = (body: (disk: string, served: Served) => Promise<void>): Promise<void> =>
    withDisk("tmpfs", 32, async (disk) => {
      await withMount((served) => body(disk, served), [], `sqlite:${disk}/store`)
      assert.match(await fsck(join(disk, "store")), /clean/)
    })
  /** Others take all that is left of a disk, to the last byte. */
  const fillDisk = async (disk: string, name: string): Promise<void> => {
    for (const size of ["64k", "4k", "1"])
      await attempt("dd", ["if=/dev/zero", `of=${disk}/${name}-${size}`, `bs=${size}`])
  }
  const fill = [
    "-c",
    "i=0; while dd if=/dev/zero of=fill$i bs=64k count=64 status=none 2>&1; do i=$((i+1)); done; echo $i"
  ]

  it("is ENOSPC, and everything else works on", () =>
    onSmallDisk(async (disk, { mountpoint, run }) => {
      const inside = { cwd: mountpoint, env: { ...process.env, LC_ALL: "C" } }
      await run("sh", ["-c", "echo text > file"], inside)
      const said = await run("sh", fill, inside)
      assert.include(said, "No space left on device")
      assert.match(await run("df", ["--output=avail", mountpoint]), /^\s*Avail\s+0\s*$/)
      assert.strictEqual(await run("cat", [join(mountpoint, "file")]), "text\n")
      await run(
        "sh",
        ["-c", "mkdir d && mv file d/moved && ln d/moved link && rm link && touch d/new && chmod 600 d/new"],
        inside
      )
      // What a file gives back is there at once, for small pieces and for whole chunks.
      await run(
        "sh",
        [
          "-ec",
          "rm fill0; for i in 1 2 3 4 5; do for bs in 16k 64k; do dd if=/dev/urandom of=over bs=$bs count=$((1536/${bs%k})) status=none; done; done; rm over"
        ],
        inside
      )
      await run("sh", ["-c", "rm fill*"], inside)
      await run("sh", ["-c", "dd if=/dev/urandom of=again bs=64k count=64 status=none && sync again"], inside)
      assert.strictEqual(await run("cat", [join(mountpoint, "d", "moved")]), "text\n")
      assert.isAbove(Number((await attempt("stat", ["-c", "%s", join(disk, "store")])).stdout), 4 * 2 ** 20)
    }))

  it("that others have filled to the last byte fails what needs room, and nothing for good", () =>
    onSmallDisk(async (disk, { mountpoint, run }) => {
      const inside = { cwd: mountpoint, env: { ...process.env, LC_ALL: "C" } }
      await run("sh", ["-c", "dd if=/dev/urandom of=kept bs=64k count=32 status=none; sync kept"], inside)
      const sum = await run("sha1sum", ["kept"], inside)
      await attempt("dd", ["if=/dev/zero", `of=${disk}/others`, "bs=4k"])
      // The log may have room for some; then no more.
      const made = await run(
        "sh",
        ["-c", "i=0; while mkdir d$i 2> /dev/null && [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i"],
        { ...inside }
      )
      assert.isBelow(Number(made), 20_000)
      assert.strictEqual(await run("sha1sum", ["kept"], inside), sum)
      await rm(join(disk, "others"))
      await run("mkdir", ["after"], inside)
      assert.strictEqual((await run("sh", ["-c", "ls -d d* | wc -l"], inside)).trim(), made.trim())
      assert.strictEqual(await run("sha1sum", ["kept"], inside), sum)
    }))

  it("that others have filled to the last byte has its store mounted, and read", async () => {
    await withDisk("tmpfs", 32, async (disk) => {
      const source = `sqlite:${disk}/store`
      await withMount(
        ({ mountpoint, run }) =>
          run("sh", ["-c", "dd if=/dev/urandom of=kept bs=64k count=32 status=none; echo text > small"], {
            cwd: mountpoint
          }),
        [],
        source
      )
      await fillDisk(disk, "others")
      await withMount(
        async ({ mountpoint, run }) => {
          assert.strictEqual(await run("cat", [join(mountpoint, "small")]), "text\n")
          assert.match(await run("sh", ["-c", "sha1sum kept; ls"], { cwd: mountpoint }), /small/)
          const refused = await attempt("dd", ["if=/dev/zero", `of=${mountpoint}/data`, "bs=64k", "count=1"], {
            env: { ...process.env, LC_ALL: "C" }
          })
          assert.match(refused.stderr, /No space left on device/)
          await run("rm", ["-f", ...["64k", "4k", "1"].map((size) => join(disk, `others-${size}`))])
          await run("dd", ["if=/dev/urandom", `of=${mountpoint}/data`, "bs=64k", "count=1", "status=none"])
        },
        [],
        source
      )
      assert.match(await fsck(join(disk, "store")), /clean, 4 inodes/)
    })
  })

  for (const kind of ["tmpfs", "ext4"] as const) {
    it(`that others have filled to the last byte lets everything be removed, also after a mount and a kill (${kind})`, () =>
      withDisk(kind, 96, async (disk) => {
        const source = `sqlite:${disk}/store`
        const inside = (mountpoint: string) => ({ cwd: mountpoint, env: { ...process.env, LC_ALL: "C" } })
        await withMount(
          async ({ mountpoint, run }) => {
            await run(
              "sh",
              [
                "-ec",
                "mkdir d; cd d; seq 2000 | xargs touch; for i in 1 2 3 4; do head -c 2000000 /dev/urandom > big$i; done"
              ],
              inside(mountpoint)
            )
            await fillDisk(disk, "first")
            await run(
              "sh",
              ["-ec", "cd d; seq 500 | xargs rm; mv 501 502; : > 503; truncate -s 10 big1; rm big2"],
              inside(mountpoint)
            )
          },
          [],
          source
        )
        // What closing the store gave back is gone, too.
        await fillDisk(disk, "second")
        await withMount(
          async ({ end, mountpoint, run, server }) => {
            await run("sh", ["-ec", "cd d; seq 502 1000 | xargs rm"], inside(mountpoint))
            const removing = attempt("sh", ["-c", "cd d; seq 1001 2000 | xargs -n 20 rm"], inside(mountpoint))
            while ((await readdir(join(mountpoint, "d"))).length > 900) await delay(1)
            server.kill("SIGKILL")
            await removing
            await end()
          },
          [],
          source
        )
        await fillDisk(disk, "third")
        await withMount(
          async ({ mountpoint, run }) => {
            await run("rm", ["-r", join(mountpoint, "d")])
            // Its room is there at once.
            await run("dd", ["if=/dev/urandom", `of=${mountpoint}/data`, "bs=64k", "count=64", "status=none"])
            await run("mkdir", [join(mountpoint, "new")])
          },
          [],
          source
        )
        assert.match(await fsck(join(disk, "store")), /clean, 3 inodes/)
      }))
  }
})
