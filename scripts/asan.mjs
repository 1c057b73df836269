/** Builds the addon with AddressSanitizer, beside the ordinary one, and runs the tests that reach it. */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { node, nodeFlags, root } from "./bootstrap.mjs"

const folder = join(root, "native", "build-asan")
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
cpSync(join(root, "native", "src"), join(folder, "src"), { recursive: true })
cpSync(join(root, "native", "binding.gyp"), join(folder, "binding.gyp"))

const run = (args, env = {}) => {
  const done = spawnSync(node, args, { cwd: root, env: { ...process.env, ...env }, encoding: "utf8", maxBuffer: 1 << 28, timeout: 300_000 })
  if (done.status !== 0 || /AddressSanitizer/.test(done.stdout + done.stderr)) {
    process.stderr.write(done.stdout + done.stderr)
    process.exit(1)
  }
  return done.stdout
}

run(["scripts/node-gyp.mjs", "rebuild", `--directory=${folder}`], { GYP_DEFINES: "asan=1" })
const library = execFileSync("g++", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim()
const report = run([...nodeFlags, "node_modules/vitest/vitest.mjs", "run", "packages/transport", "test/wire", "test/faults"], {
  BICKFORD_ADDON: join(folder, "build", "Release", "bickford.node"),
  LD_PRELOAD: library,
  // The engine's own memory is never freed at its end; what the addon owns is checked while it runs.
  ASAN_OPTIONS: "detect_leaks=0:abort_on_error=1"
})
process.stdout.write(`${report.split("\n").filter((line) => /Test Files|Tests /.test(line)).join("\n")}\n`)
