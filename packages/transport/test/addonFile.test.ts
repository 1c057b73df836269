/** Which build of the addon is loaded, where there are several or none. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { chooseAddon } from "../src/addonFile.ts"

const platform = `${process.platform}-${process.arch}`

describe("the addon that is loaded", () => {
  let directory: string
  beforeEach(() => void (directory = join(mkdtempSync(join(tmpdir(), "addon-")), "packages", "transport")))
  afterEach(() => rmSync(dirname(dirname(directory)), { recursive: true }))

  const add = (...place: ReadonlyArray<string>): string => {
    const file = join(directory, ...place)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, "")
    return file
  }
  const choose = (libc: string) => chooseAddon(directory, undefined, () => libc)

  it("is the prebuilt one of this platform and its libc", () => {
    const glibc = add("prebuilds", `${platform}-glibc.node`)
    const musl = add("prebuilds", `${platform}-musl.node`)
    assert.strictEqual(choose("glibc"), glibc)
    assert.strictEqual(choose("musl"), musl)
  })

  it("is one built from source before a prebuilt one", () => {
    add("prebuilds", `${platform}-glibc.node`)
    const own = add("native", "build", "Release", "bickford.node")
    assert.strictEqual(choose("glibc"), own)
    const checkout = add("..", "..", "native", "build", "Release", "bickford.node")
    assert.strictEqual(choose("glibc"), checkout)
  })

  it("is the one that BICKFORD_ADDON names before any other", () => {
    add("prebuilds", `${platform}-glibc.node`)
    assert.strictEqual(
      chooseAddon(directory, "/named.node", () => "glibc"),
      "/named.node"
    )
  })

  it("is none where only another libc's is there: the error names the platform and what to do", () => {
    add("prebuilds", `${platform}-glibc.node`)
    assert.throws(
      () => choose("musl"),
      new RegExp(`no native addon for ${platform}-musl.*apt-get install python3 make g\\+\\+.*node-gyp rebuild`)
    )
  })
})
