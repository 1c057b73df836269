/**
 * Gets a bare clone ready to run: dependencies, the addon, fusermount3.
 *
 * Runs on whatever Node started it (20 and later), with nothing installed, so it imports only Node's
 * own modules. What is already in place is recognised by a hash and costs milliseconds.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { constants as osConstants } from "node:os"
import { delimiter, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The Node that everything but the bootstrap runs on: the `node` package's, pinned in package.json. */
export const node = join(root, "node_modules", ".bin", "node")

/** Run from the sources: the `development` condition of every package's exports. */
export const nodeFlags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]

const addon = join(root, "native", "build", "Release", "bickford.node")
const installStamp = join(root, "node_modules", ".bickford-installed")
const addonStamp = join(root, "native", "build", ".bickford-built")

/** One line for the person who waits, on stderr so that a program's own output stays clean. */
export const say = (line) => process.stderr.write(`${line}\n`)

/** Ends the process with one line that says what to do. */
export const fail = (line) => {
  say(line)
  process.exit(1)
}

const read = (file) => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

const hashFiles = (files, extra) => {
  const hash = createHash("sha256").update(extra)
  for (const file of files) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file))
  return hash.digest("hex")
}

const localBin = join(root, "node_modules", ".bin")

/** `PATH` without this checkout's own tools, which an install replaces while it runs. */
const outerPath = () =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== localBin)
    .join(delimiter)

const find = (name, path) => {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return file
    } catch {
      continue
    }
  }
  return undefined
}

/** Runs a command whose output is worth reading only when it fails. */
const quietly = (what, command, args, options) => {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, ...options })
  if (done.status === 0) return
  if (done.stdout) process.stderr.write(done.stdout)
  if (done.stderr) process.stderr.write(done.stderr)
  fail(
    done.error
      ? `${what} failed: ${done.error.message}`
      : `${what} failed: ${command} ended with ${done.signal ?? done.status}.`
  )
}

/** What package-lock.json names, unless it is there. */
export const install = () => {
  const wanted = hashFiles([join(root, "package-lock.json")], process.platform + process.arch)
  if (existsSync(node) && read(installStamp) === wanted) return
  say("Installing the dependencies (once)...")
  // Node 20's npm warns of every package that asks for a later Node; they run on the one this installs.
  quietly("Installing", "npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], {
    env: { ...process.env, PATH: outerPath() }
  })
  writeFileSync(installStamp, wanted)
}

const nativeSources = (folder = join(root, "native")) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !["build", "test", "node_modules"].includes(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = join(folder, entry.name)
      return entry.isDirectory() ? nativeSources(file) : /\.(cc|cpp|c|h|hpp|gypi?)$/.test(entry.name) ? [file] : []
    })

/** The headers that came with the system's Node: Node-API is stable, so they serve any later one. */
export const systemHeaders = () => {
  const system = find("node", outerPath())
  const prefix = system === undefined ? undefined : dirname(dirname(system))
  return prefix !== undefined && existsSync(join(prefix, "include", "node", "node_api.h")) ? prefix : undefined
}

/** The arguments for `node` that run node-gyp with `args`. */
export const gypArguments = (args) => {
  const headers = process.env.npm_config_nodedir === undefined ? systemHeaders() : undefined
  return [
    join(root, "node_modules", "node-gyp", "bin", "node-gyp.js"),
    ...args,
    "--loglevel=warn",
    "--jobs=max",
    ...(headers === undefined ? [] : [`--nodedir=${headers}`])
  ]
}

/** Of `npm run prebuild`, for this machine. */
const hasPrebuild = () =>
  ["glibc", "musl"].some((libc) =>
    existsSync(join(root, "packages", "transport", "prebuilds", `${process.platform}-${process.arch}-${libc}.node`))
  )

/** Builds the addon when its sources are not the ones it was built from, or always when `force`. */
export const buildAddon = ({ force = false } = {}) => {
  const napi = join(root, "node_modules", "node-addon-api", "package.json")
  const wanted = hashFiles([...nativeSources(), napi], process.platform + process.arch)
  if (!force && existsSync(addon) && read(addonStamp) === wanted) return
  for (const tool of ["python3", "make", "g++"]) {
    if (find(tool, process.env.PATH ?? "") === undefined) {
      if (!force && hasPrebuild()) return say(`${tool} is missing: the prebuilt addon is used.`)
      fail(`The addon needs ${tool} to be built. On Debian: apt-get install python3 make g++`)
    }
  }
  say("Building the addon...")
  quietly(
    "Building the addon",
    node,
    gypArguments([...(force ? ["clean", "configure", "build"] : ["configure", "build"]), "--directory=native"])
  )
  writeFileSync(addonStamp, wanted)
}

const debianFamily = () => {
  const release = read("/etc/os-release")
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(release) && find("apt-get", process.env.PATH ?? "") !== undefined
}

/** fusermount3 mounts for everyone who is not root, and `fusermount3 -u` is what people type to unmount. */
const checkFusermount = () => {
  const path = `${process.env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/usr/bin${delimiter}/sbin${delimiter}/bin`
  if (find("fusermount3", path) !== undefined) return
  const command = "apt-get install -y fuse3"
  const isRoot = process.getuid?.() === 0
  if (debianFamily() && isRoot && process.env.BICKFORD_NO_APT !== "1") {
    say(`fusermount3 is missing: installing Debian's fuse3 (${command}; BICKFORD_NO_APT=1 turns this off)...`)
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    // A fresh container has no package lists; a machine with good ones need not wait for an update.
    if (spawnSync("apt-get", ["install", "-y", "-qq", "fuse3"], { env, stdio: "ignore" }).status === 0) return
    quietly("apt-get update", "apt-get", ["update", "-qq"], { env })
    quietly("Installing fuse3", "apt-get", ["install", "-y", "-qq", "fuse3"], { env })
    return
  }
  const hint = debianFamily()
    ? `${isRoot ? "" : "sudo "}${command}`
    : "install the package fuse3 with your distribution's package manager"
  if (isRoot) say(`fusermount3 is missing; root can do without it. To have it: ${hint}`)
  else fail(`fusermount3 is missing, and only root can mount without it. Run: ${hint}`)
}

/** Everything that `npm start` and `npm test` need; does nothing the second time. */
export const bootstrap = () => {
  if (process.platform !== "linux") fail("Bickford serves Linux FUSE filesystems; this is not Linux.")
  install()
  buildAddon()
  checkFusermount()
}

/**
 * Goes on as `node ...args` under the checkout's own Node. Becomes that process where Node can; else
 * passes every signal on, and ends as the child ends. The child sees the channel close if this process
 * is killed.
 */
export const become = (args, env = {}) => {
  const argv = [...nodeFlags, ...args]
  const environment = { ...process.env, ...env, PATH: `${localBin}${delimiter}${outerPath()}` }
  if (typeof process.execve === "function") process.execve(node, [node, ...argv], environment)
  const child = spawn(node, argv, { env: environment, stdio: ["inherit", "inherit", "inherit", "ipc"] })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => fail(error.message))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : osConstants.signals[signal])))
}
