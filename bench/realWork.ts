/** Real programs at work on each contender, timed: one after the other, in turn. */
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { makeProject, npmCi } from "../test/killtest/material.ts"
import { run } from "../test/mount/processes.ts"
import type { Contender } from "./contenders.ts"
import type { Options } from "./options.ts"
import { table } from "./report.ts"
import { serve } from "./served.ts"
import { median } from "./statistics.ts"
import { abortMount, type Workplace } from "./workplace.ts"

/** By job, then by contender: seconds, one a round. */
export type RealWork = ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<number>>>

interface Job {
  readonly name: string
  /** Run by sh in the folder; `$MATERIAL` is what it works with. */
  readonly script: string
}

const jobs: ReadonlyArray<Job> = [
  { name: "tar x, 20,000 files", script: "tar xf $MATERIAL/tree.tar" },
  { name: "git clone", script: "git clone -q $MATERIAL/repository clone" },
  { name: "git status", script: "git -C clone status -s" },
  {
    name: "npm ci, 2,000 files",
    script: `cp -r $MATERIAL/project . && cd project && npm ${npmCi("$MATERIAL/npm-cache").join(" ")} >/dev/null`
  },
  { name: "C build, 200 files", script: "cp -r $MATERIAL/program . && make -s -C program" },
  { name: "rm -rf, 20,000 files", script: "rm -rf tree" }
]

const treeFolders = 200
const filesPerFolder = 100
const sources = 200
const packages = 100

/** What the jobs work with, made once: a tree of 20,000 files as a tar file and in git, and a program in C, a package. */
const makeMaterial = async (folder: string): Promise<void> => {
  const tree = join(folder, "tree")
  const program = join(folder, "program")
  await mkdir(program, { recursive: true })
  for (let i = 0; i < treeFolders; i++) {
    const inner = join(tree, `folder${i}`)
    await mkdir(inner, { recursive: true })
    for (let j = 0; j < filesPerFolder; j++)
      await writeFile(join(inner, `file${j}.txt`), `${i} ${j}\n`.repeat(1 + ((i * j) % 200)))
  }
  const names = Array.from({ length: sources }, (_, i) => `part${i}`)
  for (const [i, name] of names.entries())
    await writeFile(join(program, `${name}.c`), `int ${name}(int x) { return x * ${i} + 1; }\n`)
  await writeFile(join(program, "main.c"), `int part0(int);\nint main(void) { return part0(0) - 1; }\n`)
  await writeFile(join(program, "Makefile"), `main: $(patsubst %.c,%.o,$(wildcard *.c))\n\tgcc -o $@ $^\n`)
  const git = (...args: ReadonlyArray<string>) =>
    run("git", ["-C", tree, "-c", "user.name=bench", "-c", "user.email=bench@localhost", ...args])
  await run("tar", ["cf", join(folder, "tree.tar"), "-C", folder, "tree"])
  await git("init", "-q")
  await git("add", "-A")
  await git("commit", "-qm", "the tree")
  await run("git", ["clone", "-q", "--bare", tree, join(folder, "repository")])
  await mkdir(join(folder, "project"))
  await makeProject(join(folder, "project"), packages, join(folder, "npm-cache"))
}

/** Whether all the programs are here. */
const missing = (): string | undefined =>
  ["tar", "git", "gcc", "make"].find(
    (program) => !["/usr/bin", "/bin"].some((folder) => existsSync(join(folder, program)))
  )

/** On fresh mounts; a job that fails leaves its contender out of the rest, and `onFailure` is told. */
export const measureRealWork = async (
  contenders: ReadonlyArray<Contender>,
  workplace: Workplace,
  options: Options,
  onFailure: (contender: string, job: string, reason: string) => void
): Promise<RealWork> => {
  const results = new Map<string, Map<string, Array<number>>>(jobs.map(({ name }) => [name, new Map()]))
  const absent = missing()
  if (absent !== undefined) {
    onFailure("real work", "all", `${absent} is missing`)
    return results
  }
  const material = await workplace.makeStorage("material")
  await makeMaterial(material)
  for (let round = 0; round < 2; round++) {
    for (const contender of contenders) {
      const served = await serve(contender, workplace, options.cpus)
      let current = ""
      try {
        for (const { name, script } of jobs) {
          current = name
          const start = performance.now()
          await run("taskset", ["-c", options.cpus, "sh", "-ec", `cd "${served.folder}" && ${script}`], {
            env: { ...process.env, MATERIAL: material },
            timeoutMilliseconds: 120_000,
            onTimeout: () => abortMount(served.folder)
          })
          const ofJob = results.get(name)
          ofJob?.set(contender.name, [...(ofJob.get(contender.name) ?? []), (performance.now() - start) / 1000])
        }
      } catch (error) {
        onFailure(contender.name, current, error instanceof Error ? error.message : String(error))
      } finally {
        await served.stop()
      }
    }
  }
  return results
}

/** Medians, in seconds. */
export const realWorkTable = (measured: RealWork, names: ReadonlyArray<string>): string =>
  table([
    ["seconds", ...measured.keys()],
    ...names.map((name) => [
      name,
      ...Array.from(measured.values(), (ofJob) => {
        const times = ofJob.get(name)
        return times === undefined ? "" : median(times).toFixed(2)
      })
    ])
  ])
