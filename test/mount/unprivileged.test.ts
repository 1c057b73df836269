/** The real fusermount3, for a user who may not mount. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { run } from "./processes.ts"

const nobody = "65534"

it("an unprivileged user mounts, works and unmounts; the result is what root gets", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-user-"))
  try {
    // Whatever happens to the script, its mounts end with its namespace.
    const output = await run("unshare", ["-m", "sh", join(root, "test", "mount", "unprivileged.sh"), root, folder, nobody])
    const [mounted = "", ...lines] = output.trim().split("\n")
    assert.match(mounted, / rw,nosuid,nodev,relatime .*- fuse\.bickford memory: rw,user_id=65534,group_id=65534,default_permissions$/)
    const allowed = await readFile("/etc/fuse.conf", "utf8").then((text) => /^user_allow_other/m.test(text), () => false)
    assert.deepStrictEqual(lines.slice(0, 4), ["text", `${nobody} 2`, "ended with 0", "0"])
    if (!allowed) {
      assert.match(lines[4] ?? "", /^bickford: .*user_allow_other into \/etc\/fuse\.conf/)
      assert.deepStrictEqual(lines.slice(5), ["refused with 1"])
    }
  } finally {
    // Not through a mount, were one still there.
    await run("find", [folder, "-xdev", "-delete"])
  }
})
