import { assert, describe, it } from "@effect/vitest"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { examine, type Places } from "../src/cli/doctor/findings.ts"

/** A machine made of a folder, changed by `change`. */
const findings = (change: (folder: string, places: Places) => Partial<Places>) => {
  const folder = mkdtempSync(join(tmpdir(), "bickford-doctor-"))
  try {
    mkdirSync(join(folder, "bin"))
    writeFileSync(join(folder, "fuse"), "")
    writeFileSync(join(folder, "bin", "fusermount3"), "")
    chmodSync(join(folder, "bin", "fusermount3"), 0o4755)
    writeFileSync(join(folder, "fuse.conf"), "user_allow_other\n")
    writeFileSync(join(folder, "enable_uring"), "Y\n")
    const places: Places = {
      device: join(folder, "fuse"),
      path: join(folder, "bin"),
      fuseConf: join(folder, "fuse.conf"),
      kernel: "6.18.1-x",
      uring: join(folder, "enable_uring"),
      node: "24.1.0"
    }
    return examine({ ...places, ...change(folder, places) })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const worst = (change: Parameters<typeof findings>[0]) => findings(change).filter(({ kind }) => kind !== "fine")

describe("the doctor", () => {
  it("finds nothing where all is well", () => {
    assert.deepStrictEqual(
      worst(() => ({})),
      []
    )
  })

  it("tells each thing that stops mounts, and its remedy", () => {
    const cases: ReadonlyArray<readonly [Partial<Places>, "note" | "fault", RegExp]> = [
      [{ device: "/nonexistent/fuse" }, "fault", /modprobe/],
      [{ path: "/nonexistent" }, "note", /apt-get install fuse3/],
      [{ fuseConf: "/nonexistent" }, "note", /user_allow_other/],
      [{ kernel: "6.1.0-13-amd64" }, "note", /later kernel/],
      [{ kernel: "4.19.0" }, "fault", /later kernel/],
      [{ uring: "/nonexistent" }, "note", /Linux 6\.14/],
      [{ node: "20.1.0" }, "fault", /npm install node/]
    ]
    for (const [places, kind, remedy] of cases) {
      const found = worst(() => places)
      assert.isAbove(found.length, 0, JSON.stringify(places))
      assert.strictEqual(found[0]?.kind, kind, JSON.stringify(places))
      assert.match(found[0]?.remedy ?? "", remedy)
    }
    const off = worst((folder) => {
      writeFileSync(join(folder, "enable_uring"), "N\n")
      return {}
    })
    assert.match(off[0]?.remedy ?? "", /echo Y > .*enable_uring/)
    const unprivileged = worst((folder) => {
      chmodSync(join(folder, "bin", "fusermount3"), 0o755)
      return {}
    })
    assert.match(unprivileged[0]?.remedy ?? "", /chmod 4755/)
  })
})
