/** Real programs on a directory whose changes go elsewhere: here, by overlayfs, by fuse-overlayfs; and on a plain copy. */
import { mountTable } from "@bickford/transport"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { cp, mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { makeProject, npmCi } from "../../test/killtest/material.ts"
import { start } from "../../test/mount/bickford.ts"
import { run } from "../../test/mount/processes.ts"
import { table } from "../report.ts"
import { median } from "../statistics.ts"

/** A directory with the base's content; what is changed in it leaves the base alone. */
interface Place {
  readonly directory: string
  readonly end: () => Promise<void>
}

interface Contender {
  readonly name: string
  /** Why it cannot be had here. */
  readonly missing?: string
  readonly make: (base: string, work: string) => Promise<Place>
}

interface Job {
  readonly name: string
  /** Run by sh in the directory. `$CACHE` is npm's. */
  readonly script: string
  /** Run before, and not counted. */
  readonly before?: string
  /** The most times that plain takes. */
  readonly atMost?: number
}

const jobs: ReadonlyArray<Job> = [
  {
    name: "npm ci",
    script: `cd project && npm ${npmCi("$CACHE").join(" ")} >/dev/null`,
    before: "rm -rf project/node_modules",
    atMost: 1.5
  },
  { name: "git checkout", script: "git -C tree checkout -q other && git -C tree checkout -q main" },
  { name: "git status", script: "git -C tree status -s" },
  { name: "rm -rf node_modules", script: "rm -rf installed/node_modules", atMost: 3 },
  { name: "grep -r, cold", script: "grep -rc nothing tree > /dev/null || true" },
  { name: "grep -r, warm", script: "grep -rc nothing tree > /dev/null || true", atMost: 1 / 0.95 },
  { name: "C build, 200 files", script: "make -s -C program" }
]

const folders = 100
const filesPerFolder = 50
const sources = 200
const packages = 100

/** A repository with two branches, a project to be installed, one that is installed, and a program in C. */
const fillBase = async (base: string, cache: string): Promise<void> => {
  const tree = join(base, "tree")
  const program = join(base, "program")
  await mkdir(program, { recursive: true })
  const write = async (edition: string, every: number): Promise<void> => {
    for (let i = 0; i < folders; i++) {
      await mkdir(join(tree, `folder${i}`), { recursive: true })
      for (let j = 0; j < filesPerFolder; j += every)
        await writeFile(join(tree, `folder${i}`, `file${j}.txt`), `${edition} ${i} ${j}\n`.repeat(1 + ((i * j) % 200)))
    }
  }
  const git = (...args: ReadonlyArray<string>) =>
    run("git", ["-C", tree, "-c", "user.name=bench", "-c", "user.email=bench@localhost", ...args])
  await write("main", 1)
  await git("init", "-q", "-b", "main")
  await git("add", "-A")
  await git("commit", "-qm", "main")
  await git("checkout", "-q", "-b", "other")
  await write("other", 5)
  await git("commit", "-qam", "other")
  await git("checkout", "-q", "main")
  for (let i = 0; i < sources; i++)
    await writeFile(join(program, `part${i}.c`), `int part${i}(int x) { return x * ${i} + 1; }\n`)
  await writeFile(join(program, "main.c"), "int part0(int);\nint main(void) { return part0(0) - 1; }\n")
  await writeFile(join(program, "Makefile"), "main: $(patsubst %.c,%.o,$(wildcard *.c))\n\tgcc -o $@ $^\n")
  await mkdir(join(base, "project"))
  await makeProject(join(base, "project"), packages, cache)
  await cp(join(base, "project"), join(base, "installed"), { recursive: true })
  await run("npm", npmCi(cache), { cwd: join(base, "installed"), timeoutMilliseconds: 300_000 })
}

const layers = async (
  work: string
): Promise<{ readonly merged: string; readonly options: (base: string) => string }> => {
  for (const name of ["upper", "work", "merged"]) await mkdir(join(work, name), { recursive: true })
  return {
    merged: join(work, "merged"),
    options: (base) => `lowerdir=${base},upperdir=${join(work, "upper")},workdir=${join(work, "work")}`
  }
}

const unmountOf = (directory: string) => async (): Promise<void> => {
  await run("umount", ["-l", directory])
}

const contenders: ReadonlyArray<Contender> = [
  {
    name: "plain copy",
    make: async (base, work) => {
      const directory = join(work, "copy")
      await run("cp", ["-a", base, directory], { timeoutMilliseconds: 300_000 })
      return { directory, end: () => rm(directory, { recursive: true }) }
    }
  },
  {
    name: "overlayfs",
    make: async (base, work) => {
      const { merged, options } = await layers(work)
      await run("mount", ["-t", "overlay", "-o", options(base), "overlay", merged])
      return { directory: merged, end: unmountOf(merged) }
    }
  },
  {
    name: "fuse-overlayfs",
    ...(existsSync("/usr/bin/fuse-overlayfs") ? {} : { missing: "apt-get install fuse-overlayfs" }),
    make: async (base, work) => {
      const { merged, options } = await layers(work)
      const server = spawn("fuse-overlayfs", ["-f", "-o", options(base), merged], { stdio: "ignore" })
      while (!mountTable().some(({ mountpoint }) => mountpoint === merged))
        await new Promise((resolve) => setTimeout(resolve, 20))
      return {
        directory: merged,
        end: async () => {
          await unmountOf(merged)()
          if (server.exitCode === null) await new Promise((resolve) => server.once("exit", resolve))
        }
      }
    }
  },
  {
    name: "workspace",
    make: async (base, work) => {
      const directory = join(work, "mounted")
      await mkdir(directory)
      const served = await start(directory, ["-o", `store=${join(work, "branches")}`], `workspace:${base}`)
      return {
        directory,
        end: async () => {
          served.server.kill("SIGTERM")
          await served.end()
        }
      }
    }
  }
]

/** Runs the jobs on each contender in turn, so many rounds. Each job has a mount and a branch of its own. */
export const measureBesides = async (folder: string, rounds: number): Promise<void> => {
  const base = join(folder, "base")
  const cache = join(folder, "cache")
  await fillBase(base, cache)
  const present = contenders.filter(({ missing }) => missing === undefined)
  for (const { missing, name } of contenders) if (missing !== undefined) console.log(`without ${name}: ${missing}`)
  const seconds = new Map<string, Map<string, Array<number>>>()
  for (let round = 0; round < rounds; round++) {
    for (const { make, name } of present) {
      const work = join(folder, `${name.replaceAll(" ", "-")}-${round}`)
      await mkdir(work)
      const { directory, end } = await make(base, work)
      try {
        for (const job of jobs) {
          const options = { cwd: directory, env: { ...process.env, CACHE: cache }, timeoutMilliseconds: 300_000 }
          if (job.before !== undefined) await run("sh", ["-ec", job.before], options)
          const begin = performance.now()
          await run("sh", ["-ec", job.script], options)
          const ofJob = seconds.get(job.name) ?? new Map<string, Array<number>>()
          ofJob.set(name, [...(ofJob.get(name) ?? []), (performance.now() - begin) / 1000])
          seconds.set(job.name, ofJob)
        }
      } finally {
        await end()
        await rm(work, { recursive: true, force: true })
      }
    }
  }
  console.log(
    table([
      ["seconds", ...present.map(({ name }) => name), "workspace / plain", "asked"],
      ...jobs.map(({ atMost, name: job }) => {
        const of = (name: string): number => median(seconds.get(job)?.get(name) ?? [])
        const ratio = of("workspace") / of("plain copy")
        return [
          job,
          ...present.map(({ name }) => of(name).toFixed(2)),
          ratio.toFixed(2),
          atMost === undefined ? "" : `${atMost.toFixed(2)}, ${ratio <= atMost ? "reached" : "missed"}`
        ]
      })
    ])
  )
}
