/** The real fusermount3, for a user who may not mount. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { run } from "./processes.ts"

const nobody = "65534"

/** What a script says that such a user runs; `script` is a path in the checkout. */
const asNobody = async (script: string): Promise<ReadonlyArray<string>> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-user-"))
  try {
    // Whatever happens to the script, its mounts end with its namespace.
    const output = await run("unshare", [
      "-m",
      "sh",
      join(root, "test", "mount", "unprivileged.sh"),
      root,
      folder,
      nobody,
      script
    ])
    return output.trim().split("\n")
  } finally {
    // Not through a mount, were one still there.
    await run("find", [folder, "-xdev", "-delete"])
  }
}

it("an unprivileged user mounts, works and unmounts; the result is what root gets", async () => {
  const [mounted = "", ...lines] = await asNobody("test/mount/unprivilegedMount.sh")
  assert.match(
    mounted,
    / rw,nosuid,nodev,relatime .*- fuse\.bickford memory: rw,user_id=65534,group_id=65534,default_permissions$/
  )
  const allowed = await readFile("/etc/fuse.conf", "utf8").then(
    (text) => /^user_allow_other/m.test(text),
    () => false
  )
  assert.deepStrictEqual(lines.slice(0, 4), ["text", `${nobody} 2`, "ended with 0", "0"])
  const refusals = lines.slice(4, 10)
  for (const [n, option] of ["suid", "dev", "context"].entries()) {
    assert.match(refusals[2 * n] ?? "", new RegExp(`^bickford: mount: EPERM: ${option}: only root's mounts can `))
    assert.strictEqual(refusals[2 * n + 1], "refused with 1")
  }
  if (!allowed) {
    assert.match(lines[10] ?? "", /^bickford: .*user_allow_other into \/etc\/fuse\.conf/)
    assert.deepStrictEqual(lines.slice(11), ["refused with 1"])
  }
})

it("an unprivileged user serves a directory: what is made in it is found again, moved, changed and removed", async () => {
  assert.deepStrictEqual(await asNobody("test/mount/unprivilegedPassthrough.sh"), [
    "400",
    "402",
    "text",
    "more",
    "640",
    "750",
    "refused",
    "0",
    "ended with 0"
  ])
})

it("an unprivileged user's program that does nothing about its end leaves no mount", async () => {
  assert.deepStrictEqual(await asNobody("test/mount/unprivilegedSignals.sh"), ["1", "143 0", "1", "5 0", "1", "1 0"])
})

it("a thread of an unprivileged user's program that mounts and is ended leaves no mount", async () => {
  assert.deepStrictEqual(await asNobody("test/mount/unprivilegedThread.sh"), ["1", "0"])
})

it("an unprivileged user's daemon: mounts, goes on after a worker's death, and unmounts", async () => {
  assert.deepStrictEqual(await asNobody("test/daemon/unprivileged.sh"), [
    "one",
    "two",
    "another worker",
    "ended with 0",
    "0"
  ])
})

/** 1: only who has CAP_SYS_ADMIN may use io_uring, which root's programs do not notice. */
const uringDisabled = "/proc/sys/kernel/io_uring_disabled"

it("an unprivileged user who may not use io_uring is served by the device, and told why", async () => {
  const before = await readFile(uringDisabled, "latin1")
  await writeFile(uringDisabled, "1")
  try {
    const told = /^io_uring_setup: EPERM.*\/dev\/fuse/
    const lines = await asNobody("test/mount/unprivilegedRings.sh")
    assert.strictEqual(lines.length, 6)
    for (const at of [0, 3]) {
      assert.match(lines[at] ?? "", told)
      assert.deepStrictEqual(lines.slice(at + 1, at + 3), ["text", "ended with 0"])
    }
  } finally {
    await writeFile(uringDisabled, before)
  }
})
