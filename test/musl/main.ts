/**
 * `npm run test:musl -- [FILE ...]`: the tests that need a socketpair only, with the prebuilt musl addon, in a process whose C library
 * is musl. There is no Node for musl in npm's or Debian's packages, so that npm's Node, which is built for glibc, is started by musl's
 * dynamic linker: musl takes the place of every library of glibc's by its name, and shim.c has the functions that only glibc has.
 * On Debian: apt-get install musl
 */
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runSocketpairTests } from "../arm64/socketpairTests.ts"

const root = join(import.meta.dirname, "..", "..")
const linker = "/lib/ld-musl-x86_64.so.1"
const addon = join(root, "packages", "transport", "prebuilds", "linux-x64-musl.node")

const fail = (text: string): never => {
  console.error(text)
  process.exit(1)
}

if (process.arch !== "x64") fail("npm's Node is started by musl's linker on x64 only")
if (!existsSync(linker)) fail("musl is missing: apt-get install musl")

const run = (what: string, command: string, args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8" })
  return status === 0 ? stdout : fail(`${what}: ${stdout}${stderr}${error?.message ?? ""}`)
}

// Of the sources as they are: does nothing when it is there.
run("The addon", process.execPath, [join(root, "scripts", "prebuild.mjs"), "linux-x64-musl"])

/** The only directory in which libraries are looked for. */
const libraries = mkdtempSync(join(tmpdir(), "bickford-musl-"))
process.once("exit", () => rmSync(libraries, { recursive: true, force: true }))
const zig = join(root, "tools", "prebuild", "node_modules", ".bin", "zig")
const shim = ["cc", "-target", "x86_64-linux-musl", "-shared", "-fPIC", "-O1", join(import.meta.dirname, "shim.c")]
// Node names it among its libraries.
run("The shim", zig, [...shim, "-o", join(libraries, "ld-linux-x86-64.so.2")])
for (const name of ["libstdc++.so.6", "libgcc_s.so.1"])
  copyFileSync(realpathSync(join("/lib/x86_64-linux-gnu", name)), join(libraries, name))

const node = realpathSync(join(root, "node_modules", "node", "bin", "node"))
const command = [linker, "--library-path", libraries, node] as const
const program = `process.dlopen({ exports: {} }, ${JSON.stringify(addon)})
console.log(require("node:fs").readFileSync("/proc/self/maps", "utf8"))`
const mapped = new Set(run("Node on musl", command[0], [...command.slice(1), "--eval", program]).match(/\/\S+/g))
const libcs = [...mapped].filter((file) => /\/(libc|libpthread|libm|ld)[-.]/.test(file) && !file.startsWith(libraries))
if (!mapped.has(addon) || libcs.join() !== realpathSync(linker))
  fail(`this is no process of musl's: ${[...mapped].join(" ")}`)
console.log(`npm's Node, whose C library is ${libcs.join()}, with ${addon}`)
runSocketpairTests({ name: "musl", command, addon }, process.argv.slice(2))
