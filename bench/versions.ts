/**
 * `npm run bench:versions -- DIR`: this checkout's memory, passthrough and sqlite beside those of another checkout,
 * whose addon is built. Two processes of one version differ more than two versions do, so every round starts fresh ones;
 * both serve at once, and are asked in turns as short as a third of a second, so that what slows the machine slows both.
 */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { bickfordOf, type Contender } from "./contenders.ts"
import { type Loader, makeLoader } from "./loader.ts"
import { machine } from "./machine.ts"
import { type Operation, operations } from "./operations.ts"
import { table } from "./report.ts"
import { serve, type Served } from "./served.ts"
import { median, summarize } from "./statistics.ts"
import { makeWorkplace, rootFolder, type Workplace } from "./workplace.ts"

const usage = `npm run bench:versions -- [options] DIR
  DIR               the other checkout, its addon built
  --rounds N        pairs of fresh processes (default 5)
  --turns N         how often each of a pair is asked for each operation (default 8)
  --seconds S       how long, each time (default 0.3)
  --cpu N           the CPU that client and server share (default 1)
  --only NAMES      these sources and operations alone, separated by commas`

const sources = ["memory:", "passthrough:", "sqlite:"]

/** What is measured and no part of reading a file that is 1 GiB long. */
const measurable = operations.filter(({ name }) => name !== "directread")

/** Seconds for which a fresh process is asked for an operation before it is measured: its code is compiled by then. */
const warmUp = 1.5

interface Run {
  readonly workplace: Workplace
  readonly load: Loader
  readonly cpus: string
  readonly seconds: number
  readonly rounds: number
  readonly turns: number
  readonly chosen: ReadonlyArray<Operation>
}

const versionOf = (label: string, root: string, source: string): Contender => ({
  name: `${label}-${source.slice(0, -1)}`,
  serves: source === "memory:" ? "memory" : "folder",
  prepare: async () => {},
  command: bickfordOf(root, source)
})

/** By how much `here` is faster than `there`, once for each turn. */
const ratiosOf = async (run: Run, here: Served, there: Served, operation: string): Promise<ReadonlyArray<number>> => {
  const rate = async ({ folder }: Served, seconds: number): Promise<number> =>
    (await run.load(folder, { operation, seconds })).operationsPerSecond
  for (const side of [here, there]) await rate(side, warmUp)
  const ratios: Array<number> = []
  for (let turn = 0; turn < run.turns; turn++) {
    const inOrder = turn % 2 === 0
    const first = await rate(inOrder ? here : there, run.seconds)
    const second = await rate(inOrder ? there : here, run.seconds)
    ratios.push(inOrder ? first / second : second / first)
  }
  return ratios
}

/** For each operation, the median of all turns, and the least and the most of the rounds' own medians. */
const compare = async (run: Run, source: string, other: string): Promise<ReadonlyArray<string>> => {
  const ratios = run.chosen.map((): Array<ReadonlyArray<number>> => [])
  for (let round = 0; round < run.rounds; round++) {
    const here = await serve(versionOf("here", rootFolder, source), run.workplace, run.cpus)
    try {
      const there = await serve(versionOf("there", other, source), run.workplace, run.cpus)
      try {
        for (const [column, { name }] of run.chosen.entries())
          ratios[column]?.push(await ratiosOf(run, here, there, name))
      } finally {
        await there.stop()
      }
    } finally {
      await here.stop()
    }
  }
  return ratios.map((rounds) => {
    const { least, most } = summarize(rounds.map(median))
    return `${median(rounds.flat()).toFixed(3)} (${least.toFixed(2)}-${most.toFixed(2)})`
  })
}

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      turns: { type: "string", default: "8" },
      seconds: { type: "string", default: "0.3" },
      cpu: { type: "string", default: "1" },
      only: { type: "string", default: "" }
    }
  })
  const directory = positionals[0]
  if (directory === undefined || !existsSync(join(directory, "packages"))) {
    console.error(usage)
    process.exitCode = 2
    return
  }
  const only = values.only.split(",").filter((name) => name !== "")
  const named = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
    const some = names.filter((name) => only.includes(name.replace(":", "")))
    return some.length === 0 ? names : some
  }
  const about = await machine()
  console.log(`${about.cpu}, Linux ${about.kernel}, Node ${about.node}; client and server on CPU ${values.cpu}`)
  console.log(`This checkout by the other: median of all turns (least and most of ${values.rounds} rounds)`)
  const chosenNames = named(measurable.map(({ name }) => name))
  const chosen = measurable.filter(({ name }) => chosenNames.includes(name))
  const workplace = await makeWorkplace()
  try {
    const run: Run = {
      workplace,
      load: await makeLoader(values.cpu),
      cpus: values.cpu,
      seconds: Number(values.seconds),
      rounds: Number(values.rounds),
      turns: Number(values.turns),
      chosen
    }
    const rows: Array<ReadonlyArray<string>> = [["", ...chosen.map(({ name }) => name)]]
    for (const source of named(sources)) {
      rows.push([source, ...(await compare(run, source, resolve(directory)))])
      console.log(rows.at(-1)?.join("  "))
    }
    console.log(table(rows))
  } finally {
    await workplace.remove()
  }
}

await main()
