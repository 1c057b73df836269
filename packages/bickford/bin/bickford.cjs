#!/usr/bin/env node
"use strict"
// Starts on any Node from 18 on: it only finds the Node that the daemon runs on, and goes on there.
const { spawn } = require("node:child_process")
const { closeSync, existsSync, fstatSync } = require("node:fs")
const { constants } = require("node:os")
const { dirname, join, sep } = require("node:path")

// A listener stands in for Node's own, which opens its inspector to everybody on the machine.
process.on("SIGUSR1", () => {})

const needed = [22, 19]
const [major, minor] = process.versions.node.split(".").map(Number)
const recent = major > needed[0] || (major === needed[0] && minor >= needed[1])

// Node strips types only outside node_modules; in a checkout the sources are never stale, a build may be.
const installed = __dirname.includes(`${sep}node_modules${sep}`)
const built = join(__dirname, "..", "dist", "cli", "main.js")
const source = join(__dirname, "..", "src", "cli", "main.ts")
const fromSource = !installed && existsSync(source)
const flags = ["--disable-warning=ExperimentalWarning", ...(fromSource ? ["--conditions=development"] : [])]
// A Node that is too old for the flag is too old for the daemon.
const args = ["--disable-sigusr1", ...flags, fromSource ? source : built, ...process.argv.slice(2)]

/** The `node` package's binary: in the nearest node_modules up the tree that has one. */
const localNode = () => {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules", "node", "bin", "node")
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return undefined
  }
}

const isCharacterDevice = (descriptor) => {
  try {
    return fstatSync(descriptor).isCharacterDevice()
  } catch {
    return false
  }
}

/** The mountpoint `/dev/fd/N`: a descriptor that Node keeps neither over execve nor over a spawn unless it is listed. */
const passed = process.argv
  .flatMap((arg) => /^\/dev\/fd\/(\d{1,7})$/.exec(arg)?.slice(1).map(Number) ?? [])
  .filter((descriptor) => descriptor > 2 && isCharacterDevice(descriptor))

/** The child has what was passed under the same numbers, and the socket that tells of this process's end under the lowest free one. */
const stdioOf = () => {
  const stdio = ["inherit", "inherit", "inherit"]
  for (const descriptor of passed) {
    while (stdio.length <= descriptor) stdio.push("ignore")
    stdio[descriptor] = descriptor
  }
  const free = stdio.indexOf("ignore")
  stdio[free < 0 ? stdio.length : free] = "pipe"
  return stdio
}

const node = recent ? process.execPath : localNode()
if (node === undefined) {
  process.stderr.write(
    `bickford: needs Node ${needed.join(".")} or later, this is ${process.versions.node}: install it, or "npm install node"\n`
  )
  process.exitCode = 1
} else if (recent && !fromSource) {
  import("../dist/cli/main.js")
} else if (typeof process.execve === "function" && passed.length === 0) {
  process.execve(node, [node, ...args], process.env)
} else {
  // The socket tells the child when this process is killed, which no signal handler could.
  const stdio = stdioOf()
  const child = spawn(node, args, { stdio, env: { ...process.env, BICKFORD_WRAPPER: String(stdio.indexOf("pipe")) } })
  // The connection is to end with the process that serves it.
  for (const descriptor of new Set(passed)) closeSync(descriptor)
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => {
    process.stderr.write(`bickford: ${error.message}\n`)
    process.exit(1)
  })
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
