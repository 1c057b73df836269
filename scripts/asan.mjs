/**
 * `node scripts/asan.mjs [test files or folders]`: builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer,
 * beside the ordinary one, and runs the tests that reach it.
 *
 * Fails when the built file has no trace of a sanitizer, when a test fails, and when any process of the run,
 * a server under test included, left a report.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fail, node, nodeFlags, root } from "./bootstrap.mjs"

const folder = join(root, "native", "build-asan")
const built = join(folder, "build", "Release", "bickford.node")
const reports = mkdtempSync(join(tmpdir(), "bickford-sanitizers-"))

/** What calls the addon: the transport and passthrough backend themselves, sessions over pipes, and real mounts. */
const everything = [
  "packages/transport",
  "packages/backends/test/passthrough",
  "test/wire",
  "test/faults",
  "test/mount/passthrough.test.ts",
  "test/mount/opening.test.ts"
]

/** A shim that tells the addon's own calls by their caller, which is a sanitizer's runtime here: `npm test` runs it. */
const excluded = ["test/faults/systemCalls/**"]

/** What each sanitizer's instrumentation imports; a file without them was compiled as any other. */
const traces = [/\b__asan_report_load/, /\b__asan_report_store/, /\b__ubsan_handle_/]

const build = () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  cpSync(join(root, "native", "src"), join(folder, "src"), { recursive: true })
  cpSync(join(root, "native", "binding.gyp"), join(folder, "binding.gyp"))
  // A name of our own: Node's config.gypi sets `asan` itself, and wins.
  const env = { ...process.env, GYP_DEFINES: "bickford_sanitize=1" }
  const done = spawnSync(node, ["scripts/node-gyp.mjs", "rebuild", `--directory=${folder}`], {
    cwd: root,
    env,
    encoding: "utf8"
  })
  if (done.status !== 0) fail(`${done.stdout}${done.stderr}The addon could not be built with the sanitizers.`)
  const imported = execFileSync("nm", ["--dynamic", "--undefined-only", built], { encoding: "utf8" })
  const missing = traces.filter((trace) => !trace.test(imported))
  if (missing.length > 0) fail(`${built} was built without sanitizers: it imports nothing like ${missing.join(", ")}`)
}

/** The runtime has to come before everything else that a process loads. */
const runtime = (name) => execFileSync("g++", [`-print-file-name=${name}`], { encoding: "utf8" }).trim()

const sanitized = () => ({
  ...process.env,
  BICKFORD_ADDON: built,
  LD_PRELOAD: [runtime("libasan.so"), runtime("libubsan.so")].join(" "),
  // The engine's own memory is never freed at its end; what the addon owns is checked while it runs.
  ASAN_OPTIONS: `detect_leaks=0:abort_on_error=1:log_path=${join(reports, "asan")}`,
  UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(reports, "ubsan")}`
})

const runTests = (files) =>
  spawnSync(
    node,
    [...nodeFlags, "node_modules/vitest/vitest.mjs", "run", ...excluded.map((glob) => `--exclude=${glob}`), ...files],
    { cwd: root, env: sanitized(), stdio: "inherit" }
  )

build()
const tests = runTests(process.argv.length > 2 ? process.argv.slice(2) : everything)
const left = readdirSync(reports).map((name) => readFileSync(join(reports, name), "utf8"))
rmSync(reports, { recursive: true })
if (left.length > 0) fail(`${left.join("\n")}\n${left.length} report(s) of the sanitizers`)
if (tests.status !== 0) fail("Tests failed under the sanitizers.")
