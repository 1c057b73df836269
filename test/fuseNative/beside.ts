/**
 * The same filesystem on fuse-native and on @bickford/fuse-native, in one run: what every call answers, and how long real work takes.
 * Prints the table of docs/performance.md; ends with 1 where an answer differs.
 *
 * `node --conditions=development test/fuseNative/beside.ts`: needs npm's registry, and Debian's libfuse2 for fuse-native.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { root } from "../mount/bickford.ts"
import { attempt, run } from "../mount/processes.ts"

const runs = 3

/** A folder in which a package can be required. */
const install = async (folder: string): Promise<{ readonly theirs: string; readonly ours: string }> => {
  const theirs = join(folder, "theirs")
  const ours = join(folder, "ours")
  for (const place of [theirs, ours]) {
    await mkdir(join(place, "node_modules"), { recursive: true })
    await writeFile(join(place, "package.json"), JSON.stringify({ name: "beside", private: true }))
  }
  await run("npm", ["install", "--silent", "--no-audit", "--no-fund", "fuse-native@2.2.6"], { cwd: theirs })
  await symlink(join(root, "packages", "fuse-native"), join(ours, "node_modules", "fuse-native"))
  return { theirs, ours }
}

/** Serves the filesystem by the package of a folder while `body` uses it. */
const whileMounted = async <A>(place: string, body: (mountpoint: string) => Promise<A>): Promise<A> => {
  const mountpoint = await mkdtemp(join(tmpdir(), "bickford-beside-"))
  const program = join(import.meta.dirname, "filesystem.cjs")
  const options = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
  const server = spawn(process.execPath, [...options, program, place, "fuse-native", mountpoint], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = once(server, "exit")
  try {
    await Promise.race([
      once(server.stdout, "data"),
      ended.then(([status]) => Promise.reject(new Error(`the server of ${place} ended with ${status}`)))
    ])
    return await body(mountpoint)
  } finally {
    server.stdin.end()
    await ended
    await attempt("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true, force: true })
  }
}

const answersOn = (place: string): Promise<string> =>
  whileMounted(place, (mountpoint) => run("/usr/bin/python3", [join(import.meta.dirname, "calls.py"), mountpoint]))

/** A repository and a project with packages in its lockfile, to be worked with on the mounts. */
const makeWork = async (folder: string): Promise<void> => {
  const repository = join(folder, "repository")
  await cp(join(root, "packages"), join(repository, "packages"), {
    recursive: true,
    filter: (path) => !/node_modules|dist|build/.test(path)
  })
  const git = (...args: ReadonlyArray<string>) =>
    run("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", ...args], { cwd: repository })
  await git("init", "-q", "-b", "main")
  await git("add", "-A")
  await git("commit", "-q", "-m", "One")
  const project = join(folder, "project")
  await mkdir(project)
  const dependencies = { fastify: "5", yauzl: "3", "fast-check": "4" }
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "p", version: "1.0.0", dependencies }))
  // Also fills npm's cache, so that the network counts for neither.
  await run("npm", ["install", "--silent", "--no-audit", "--no-fund"], { cwd: project })
  await rm(join(project, "node_modules"), { recursive: true })
  await writeFile(join(folder, "data"), Buffer.alloc(64 << 20, "0123456789abcdef"))
}

const works: ReadonlyArray<readonly [name: string, script: string]> = [
  ["copying 64 MiB in and out", `cp "$2/data" "$1/data"; cmp "$2/data" "$1/data"; rm "$1/data"`],
  ["`git clone`", `git clone -q --no-local "$2/repository" "$1/clone"`],
  ["`rm -rf` of the clone", `rm -rf "$1/clone"`],
  [
    "`npm ci`",
    `mkdir "$1/project"; cp "$2"/project/*.json "$1/project"; cd "$1/project"; npm ci --silent --offline --no-audit --no-fund; cd /`
  ],
  ["`rm -rf` of its packages", `rm -rf "$1/project"`]
]

/** Milliseconds of each piece of work, or the reason why it did not end well. */
const timesOn = (place: string, folder: string): Promise<ReadonlyArray<number | string>> =>
  whileMounted(place, async (mountpoint) => {
    const times: Array<number | string> = []
    for (const [, script] of works) {
      const begun = performance.now()
      const { status, stderr } = await attempt("sh", ["-ec", script, "sh", mountpoint, folder])
      times.push(status === 0 ? performance.now() - begun : `fails (${stderr.trim().split("\n").at(-1)?.slice(0, 60)})`)
    }
    return times
  })

const median = (values: ReadonlyArray<number | string>): number | string => {
  const failed = values.find((value) => typeof value === "string")
  if (failed !== undefined) return failed
  return values.map(Number).toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

const shown = (value: number | string): string => (typeof value === "string" ? value : `${(value / 1000).toFixed(2)} s`)

/** Where fuse-native answers otherwise, and why ours does not. */
const reasons: ReadonlyArray<readonly [call: string, reason: string]> = [
  ["times ", "fuse-native calls utimens with the time of reading for both"],
  ["both ", "libfuse 2 knows the names of a file as two files, and caches the attributes of each"],
  ["long name ", "fuse-native asks the filesystem for names that no directory can hold"]
]

const compare = async (theirs: string, ours: string): Promise<boolean> => {
  const [their, our] = [(await answersOn(theirs)).split("\n"), (await answersOn(ours)).split("\n")]
  const different = their.flatMap((line, index) => (line === our[index] ? [] : [{ line, own: our[index] }]))
  console.log(`${their.length - 1} calls, ${different.length} answers differ`)
  let unexplained = 0
  for (const { line, own } of different) {
    const reason = reasons.find(([call]) => line.startsWith(call))?.[1]
    if (reason === undefined) unexplained++
    console.log(`fuse-native: ${line}\nours:        ${own}\n  ${reason ?? "no reason is known"}`)
  }
  return unexplained === 0
}

const measure = async (theirs: string, ours: string, folder: string): Promise<void> => {
  const all = { theirs: [] as Array<ReadonlyArray<number | string>>, ours: [] as Array<ReadonlyArray<number | string>> }
  for (let at = 0; at < runs; at++) {
    all.theirs.push(await timesOn(theirs, folder))
    all.ours.push(await timesOn(ours, folder))
  }
  console.log("| | fuse-native 2.2.6 | @bickford/fuse-native | |\n| --- | --- | --- | --- |")
  for (const [index, [name]] of works.entries()) {
    const [their, our] = [all.theirs, all.ours].map((times) => median(times.map((one) => one[index] ?? "not run")))
    const ratio =
      typeof their === "number" && typeof our === "number" ? `${(their / our).toFixed(1)} times as fast` : ""
    console.log(`| ${name} | ${shown(their ?? "")} | ${shown(our ?? "")} | ${ratio} |`)
  }
}

const folder = await mkdtemp(join(tmpdir(), "bickford-beside-"))
try {
  const { ours, theirs } = await install(folder)
  const same = await compare(theirs, ours)
  process.exitCode = same ? 0 : 1
  if (!process.argv.includes("--calls")) {
    await makeWork(folder)
    await measure(theirs, ours, folder)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
