/** What matters besides throughput, of Bickford's memory filesystem: start, memory, CPU, latencies, fairness. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { join } from "node:path"
import { ended, run } from "../test/mount/processes.ts"
import { compile, type Contender } from "./contenders.ts"
import type { Loader } from "./loader.ts"
import type { Options } from "./options.ts"
import { cpuSeconds, residentMebibytes } from "./process.ts"
import { serve, type Served } from "./served.ts"
import { median } from "./statistics.ts"
import { abortMount, benchFolder, type Workplace } from "./workplace.ts"

export interface Besides {
  /** Milliseconds from `bickford mount` to the first answer to a stat(2) of the root. */
  readonly firstAnswer: number
  /** MiB, once mounted. */
  readonly residentAtStart: number
  /** MiB more with so many files. */
  readonly residentForFiles: { readonly files: number; readonly mebibytes: number }
  /** CPU seconds of the server for a million stat(2). */
  readonly cpuPerMillionStats: number
  /** Microseconds: stat with two clients at once. */
  readonly twoClients: { readonly p50: number; readonly p99: number }
  /** Microseconds, medians: the first of few files, the last of many, and one beside 50 other mounts of the same process. */
  readonly stat: { readonly small: number; readonly large: number; readonly manyMounts: number }
  /** Milliseconds from tick to tick of a 1 ms timer of the serving program, while two clients saturate it. */
  readonly timer: { readonly mean: number; readonly p99: number; readonly max: number }
}

const files = 1_000_000
const otherMounts = 50

interface Names {
  readonly make: (folder: string, count: number) => Promise<void>
  /** The median time of a stat, microseconds. */
  readonly stat: (folder: string, name: string) => Promise<number>
}

const makeNames = async (cpus: string): Promise<Names> => {
  const program = await compile(join(benchFolder, "programs", "names.c"), "names")
  const names = (folder: string, args: ReadonlyArray<string>): Promise<string> =>
    run("taskset", ["-c", cpus, program, folder, ...args], {
      timeoutMilliseconds: 120_000,
      onTimeout: () => abortMount(folder)
    })
  return {
    make: async (folder, count) => void (await names(folder, [String(count)])),
    stat: async (folder, name) => Number(await names(folder, ["0", "stat", name, "1"]))
  }
}

const pidOf = ({ name, pid }: Served): number => {
  if (pid === undefined) throw new Error(`${name} has no server`)
  return pid
}

const measureFirstAnswer = async (contender: Contender, workplace: Workplace, cpus: string): Promise<number> => {
  const times: Array<number> = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    const served = await serve(contender, workplace, cpus)
    try {
      await run("stat", ["--format=%i", served.folder], { onTimeout: () => abortMount(served.folder) })
      times.push(performance.now() - start)
    } finally {
      await served.stop()
    }
  }
  return median(times)
}

interface Program {
  readonly folders: ReadonlyArray<string>
  /** How the timer has done since the last time it was asked. */
  readonly timer: () => Promise<Besides["timer"]>
  readonly stop: () => Promise<void>
}

/** Starts a program that serves `count` filesystems, in one process. */
const startProgram = async (count: number, workplace: Workplace, cpus: string): Promise<Program> => {
  const folders: Array<string> = []
  for (let i = 0; i < count; i++) folders.push(await workplace.makeFolder(`program-${count}-${i}`))
  const server = spawn(
    "taskset",
    [
      "-c",
      cpus,
      process.execPath,
      "--conditions=development",
      "--disable-warning=ExperimentalWarning",
      join(benchFolder, "programs", "mounts.ts"),
      ...folders
    ],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  const lines = createInterface(server.stdout)
  const nextLine = async (): Promise<string> => {
    const [line]: Array<unknown> = await once(lines, "line", { signal: AbortSignal.timeout(30_000) })
    return String(line)
  }
  const stop = async (): Promise<void> => {
    server.kill("SIGTERM")
    const killer = setTimeout(() => server.kill("SIGKILL"), 10_000)
    await ended(server)
    clearTimeout(killer)
  }
  try {
    await nextLine()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    folders,
    timer: async () => {
      const report = nextLine()
      server.stdin.write("\n")
      const { max, mean, p99 }: Besides["timer"] = JSON.parse(await report)
      return { max, mean, p99 }
    },
    stop
  }
}

/** What takes a program of its own: the timer's time, and stat beside other mounts of the same process. */
const measureProgram = async (load: Loader, names: Names, workplace: Workplace, cpus: string) => {
  const program = await startProgram(1 + otherMounts, workplace, cpus)
  try {
    const [folder = ""] = program.folders
    await names.make(folder, 1)
    await load(folder, { operation: "stat", seconds: 1 })
    const manyMounts = await names.stat(folder, "n0")
    await program.timer()
    await load(folder, { operation: "stat", seconds: 2, threads: 2 })
    return { manyMounts, timer: await program.timer() }
  } finally {
    await program.stop()
  }
}

/** On mounts of its own, one after the other; `contender` is Bickford's memory filesystem. */
export const measureBesides = async (
  contender: Contender,
  load: Loader,
  workplace: Workplace,
  options: Options
): Promise<Besides> => {
  const names = await makeNames(options.cpus)
  const firstAnswer = await measureFirstAnswer(contender, workplace, options.cpus)
  const served = await serve(contender, workplace, options.cpus)
  try {
    const pid = pidOf(served)
    const residentAtStart = residentMebibytes(pid)
    await names.make(served.folder, 1)
    await load(served.folder, { operation: "stat", seconds: 1 })
    const small = await names.stat(served.folder, "n0")
    const before = cpuSeconds(pid)
    const { operations } = await load(served.folder, { operation: "stat", seconds: 2 })
    const cpuPerMillionStats = ((cpuSeconds(pid) - before) / operations) * 1e6
    const { p50, p99 } = await load(served.folder, { operation: "stat", seconds: 2, threads: 2 })
    const residentBefore = residentMebibytes(pid)
    const folder = join(served.folder, "many")
    await run("mkdir", [folder])
    await names.make(folder, files)
    const mebibytes = residentMebibytes(pid) - residentBefore
    const large = await names.stat(folder, `n${files - 1}`)
    const { manyMounts, timer } = await measureProgram(load, names, workplace, options.cpus)
    return {
      firstAnswer,
      residentAtStart,
      residentForFiles: { files, mebibytes },
      cpuPerMillionStats,
      twoClients: { p50, p99 },
      stat: { small, large, manyMounts },
      timer
    }
  } finally {
    await served.stop()
  }
}

/** One line each. */
export const besidesLines = (measured: Besides): ReadonlyArray<string> => {
  const { stat, timer, twoClients } = measured
  return [
    `first answer            ${measured.firstAnswer.toFixed(0)} ms after \`bickford mount\` was started`,
    `resident memory         ${measured.residentAtStart.toFixed(0)} MiB, and ${measured.residentForFiles.mebibytes.toFixed(0)} MiB for ${measured.residentForFiles.files} files`,
    `CPU of the server       ${measured.cpuPerMillionStats.toFixed(2)} s for a million stats`,
    `stat, two clients       ${twoClients.p50.toFixed(1)} us median, ${twoClients.p99.toFixed(1)} us p99`,
    `stat, median            ${stat.small.toFixed(2)} us; the last of ${files} files ${stat.large.toFixed(2)} us; beside ${otherMounts} mounts ${stat.manyMounts.toFixed(2)} us`,
    `a 1 ms timer, saturated ${timer.mean.toFixed(2)} ms mean, ${timer.p99.toFixed(2)} ms p99, ${timer.max.toFixed(1)} ms longest`
  ]
}
