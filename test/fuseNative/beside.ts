/**
 * The same filesystem on fuse-native and on @bickford/fuse-native, in one run: what every call answers, and how long real work takes.
 * Prints the table of docs/fuse-native.md; ends with 1 where an answer differs.
 *
 * `node --conditions=development test/fuseNative/beside.ts`: needs npm's registry, and Debian's libfuse2 for fuse-native.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { performance } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import { compile } from "../../bench/contenders.ts"
import { root } from "../mount/bickford.ts"
import { attempt, run } from "../mount/processes.ts"

const argument = (name: string): string | undefined =>
  process.argv.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3)

/** How often each piece of work is done on each. */
const runs = Number(argument("runs") ?? 5)
/** For Node, as `--server-options=--cpu-prof`. */
const serverOptions = argument("server-options")?.split(" ") ?? []

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

/** Where work is done: a directory, and how much processor time whoever serves it has used, in milliseconds. */
interface Place {
  readonly directory: string
  readonly served: () => Promise<number>
}

/** Of all threads of a process, by its line in /proc (proc_pid_stat(5)), in clock ticks of 10 ms. */
const processorTime = async (pid: number | undefined): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Starts a program that serves a mountpoint, and resolves when it does. */
const startOf = {
  /** The filesystem by the package of a folder. */
  package: async (package_: string, mountpoint: string): Promise<ChildProcess> => {
    const program = join(import.meta.dirname, "filesystem.cjs")
    const options = ["--conditions=development", "--disable-warning=ExperimentalWarning", ...serverOptions]
    const server = spawn(process.execPath, [...options, program, package_, "fuse-native", mountpoint], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    await Promise.race([
      once(server.stdout, "data"),
      once(server, "exit").then(([status]) =>
        Promise.reject(new Error(`the server of ${package_} ended with ${status}`))
      )
    ])
    return server
  },
  /** A filesystem in C on libfuse 3's low-level API, which the kernel asks as often as it asks that one. */
  inC: async (_: string, mountpoint: string): Promise<ChildProcess> => {
    const program = await compile(join(root, "bench", "servers", "memory.c"), "memory", { package: "fuse3" })
    const server = spawn(program, [mountpoint, "-f", "-s", "-o", "allow_other,trust,ask"], { stdio: "inherit" })
    const { dev } = await stat(dirname(mountpoint))
    while ((await stat(mountpoint)).dev === dev) await setTimeout(10)
    return server
  }
}

/** Has a mountpoint served while `body` uses it. */
const whileMounted = async <A>(
  start: keyof typeof startOf,
  package_: string,
  body: (place: Place) => Promise<A>
): Promise<A> => {
  const mountpoint = await mkdtemp(join(tmpdir(), "bickford-beside-"))
  const server = await startOf[start](package_, mountpoint)
  const ended = once(server, "exit")
  try {
    return await body({ directory: mountpoint, served: () => processorTime(server.pid) })
  } finally {
    server.stdin?.end()
    // The program in C ends with its mount.
    if (server.stdin === null) await attempt("umount", [mountpoint])
    await ended
    await attempt("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true, force: true })
  }
}

/** The kernel's own filesystem in memory, for what the programs themselves need. */
const whilePlain = async <A>(body: (place: Place) => Promise<A>): Promise<A> => {
  const directory = await mkdtemp(join(tmpdir(), "bickford-beside-"))
  await run("mount", ["-t", "tmpfs", "tmpfs", directory])
  try {
    return await body({ directory, served: async () => 0 })
  } finally {
    await run("umount", ["-l", directory])
    await rm(directory, { recursive: true, force: true })
  }
}

const answersOn = (package_: string): Promise<string> =>
  whileMounted("package", package_, ({ directory }) =>
    run("/usr/bin/python3", [join(import.meta.dirname, "calls.py"), directory])
  )

/** A repository and a project with packages in its lockfile, to be worked with on the mounts. */
const makeWork = async (folder: string): Promise<void> => {
  const repository = join(folder, "repository")
  for (const copy of ["one", "two", "three"])
    await cp(join(root, "packages"), join(repository, copy), {
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
  const dependencies = { fastify: "5", yauzl: "3", "fast-check": "4", lodash: "4", "date-fns": "4" }
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "p", version: "1.0.0", dependencies }))
  // Also fills npm's cache, so that the network counts for neither.
  const npm = ["install", "--silent", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved=false"]
  await run("npm", npm, { cwd: project })
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

/** What a piece of work took: by the clock, and of the server's processor time; or the reason why it did not end well. */
interface Spent {
  readonly milliseconds: number
  readonly served: number
}

const workIn =
  (folder: string) =>
  async ({ directory, served }: Place): Promise<ReadonlyArray<Spent | string>> => {
    const spent: Array<Spent | string> = []
    for (const [, script] of works) {
      const before = await served()
      const begun = performance.now()
      const { status, stderr } = await attempt("sh", ["-ec", script, "sh", directory, folder])
      const milliseconds = performance.now() - begun
      const failure = `fails (${stderr.trim().split("\n").at(-1)?.slice(0, 60)})`
      spent.push(status === 0 ? { milliseconds, served: (await served()) - before } : failure)
    }
    return spent
  }

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** The medians of a piece of work, over all runs; a failure where there was one. */
const medianOf = (runs: ReadonlyArray<ReadonlyArray<Spent | string>>, index: number): Spent | string => {
  const all = runs.flatMap((one) => one[index] ?? [])
  const good = all.filter((one) => typeof one !== "string")
  if (good.length < all.length) return all.find((one) => typeof one === "string") ?? "not run"
  return {
    milliseconds: median(good.map(({ milliseconds }) => milliseconds)),
    served: median(good.map(({ served }) => served))
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`
const shown = (spent: Spent | string): string =>
  typeof spent === "string" ? spent : `${seconds(spent.milliseconds)} (${seconds(spent.served)})`
const ratio = (their: number, our: number): string => (their / our).toFixed(1)

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

const served =
  (start: keyof typeof startOf, package_ = "") =>
  (body: (place: Place) => Promise<ReadonlyArray<Spent | string>>): Promise<ReadonlyArray<Spent | string>> =>
    whileMounted(start, package_, body)

/** Works in turns on tmpfs and on all mounts, each turn beginning with another one. A server has done all of it once before. */
const measure = async (theirs: string, ours: string, folder: string): Promise<void> => {
  const once = workIn(folder)
  const work = async (place: Place) => {
    await once(place)
    return once(place)
  }
  const turns = [
    whilePlain<ReadonlyArray<Spent | string>>,
    served("inC"),
    served("package", theirs),
    served("package", ours)
  ].map((within) => ({
    spent: [] as Array<ReadonlyArray<Spent | string>>,
    work: () => within(work)
  }))
  for (let at = 0; at < runs; at++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const one = turns[(at + turn) % turns.length]
      one?.spent.push(await one.work())
    }
  }
  console.log(
    "| | tmpfs | C, libfuse 3 | fuse-native 2.2.6 | @bickford/fuse-native | times as fast | of what tmpfs does not take | of the server's processor time |\n" +
      "| --- | --- | --- | --- | --- | --- | --- | --- |"
  )
  for (const [index, [name]] of works.entries()) {
    const [plain, inC, their, our] = turns.map(({ spent }) => medianOf(spent, index))
    const row = [
      name,
      typeof plain === "object" ? seconds(plain.milliseconds) : plain,
      shown(inC ?? ""),
      shown(their ?? ""),
      shown(our ?? "")
    ]
    if (typeof plain === "object" && typeof their === "object" && typeof our === "object")
      row.push(
        ratio(their.milliseconds, our.milliseconds),
        ratio(their.milliseconds - plain.milliseconds, our.milliseconds - plain.milliseconds),
        ratio(their.served, our.served)
      )
    console.log(`| ${row.join(" | ")} |`)
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
