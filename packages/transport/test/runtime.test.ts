/** Runtimes in Node's place are refused where the addon is loaded, before it is. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

const index = new URL("../src/index.ts", import.meta.url).href
const main = fileURLToPath(new URL("../../bickford/src/cli/main.ts", import.meta.url))

/** Runs a program of Node's that first makes itself out to be another runtime; what it wrote to both streams. */
const run = (
  disguise: string,
  ...args: ReadonlyArray<string>
): Promise<{ readonly status: number | string; readonly said: string }> =>
  new Promise((resolve) => {
    const preload = `data:text/javascript,${encodeURIComponent(disguise)}`
    // No addon: were it loaded, the error would be another.
    const env = { ...process.env, BICKFORD_ADDON: "/nowhere.node" }
    execFile(
      process.execPath,
      ["--conditions=development", "--import", preload, ...args],
      { env },
      (error, stdout, stderr) => resolve({ status: error?.code ?? 0, said: stdout + stderr })
    )
  })

const versions = (more: string): string =>
  `Object.defineProperty(process, "versions", { value: { ...process.versions, ${more} } })`

const disguises: ReadonlyArray<readonly [name: string, disguise: string]> = [
  ["Bun 1.2.3", versions(`bun: "1.2.3"`)],
  ["Bun", "globalThis.Bun = {}"],
  ["Deno 2.1.0", versions(`deno: "2.1.0"`)],
  ["Deno", `globalThis.Deno = { version: { deno: "2.1.0" } }`]
]

describe("a runtime in Node's place", () => {
  for (const [name, disguise] of disguises) {
    it(`${name}, told by ${disguise.startsWith("global") ? "its global" : "its version"}, is refused with a sentence`, async () => {
      const program = `import(${JSON.stringify(index)}).then(() => console.log("loaded"), (error) => console.log(error.message))`
      const { said, status } = await run(disguise, "--input-type=module", "--eval", program)
      assert.strictEqual(status, 0, said)
      assert.match(
        said,
        new RegExp(
          `^Bickford needs Node\\.js 22\\.19 or later, and this program runs under ${name}, .*; run it with node\n$`
        )
      )
    })
  }

  it("is refused by the command as by every error: in one line", async () => {
    const { said, status } = await run(
      versions(`bun: "1.2.3"`),
      "--disable-warning=ExperimentalWarning",
      main,
      "mount",
      "memory:",
      "/tmp"
    )
    assert.strictEqual(status, 1)
    assert.match(said, /^bickford: Bickford needs Node\.js .* Bun 1\.2\.3, .*\n$/)
  })

  it("Node itself is not", async () => {
    const { said } = await run(
      "",
      "--input-type=module",
      "--eval",
      `import(${JSON.stringify(index)}).catch((error) => console.log(error.message))`
    )
    assert.include(said, "/nowhere.node")
  })
})
