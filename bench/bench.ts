/** `npm run bench`: Bickford beside other ways to serve a filesystem, in one run (docs/performance.md). */
import { writeFile } from "node:fs/promises"
import { loadavg } from "node:os"
import { type Besides, besidesLines, measureBesides } from "./besides.ts"
import { contenders } from "./contenders.ts"
import { type Loader, makeLoader } from "./loader.ts"
import { type Machine, machine } from "./machine.ts"
import { operations } from "./operations.ts"
import { type Options, parseOptions, usage } from "./options.ts"
import { measureRealWork, type RealWork, realWorkTable } from "./realWork.ts"
import { barLines, barResults, cpuTable, ratioTable, throughputTable } from "./report.ts"
import { serve, type Served } from "./served.ts"
import { measureStoreWrite, type StoreWrite, storeWriteLine } from "./store.ts"
import { measureThroughput, type Throughput } from "./throughput.ts"
import { makeWorkplace, type Workplace } from "./workplace.ts"

const say = (text = ""): void => console.log(text)
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const plainObject = <A>(results: ReadonlyMap<string, ReadonlyMap<string, A>>): unknown =>
  Object.fromEntries(Array.from(results, ([name, byContender]) => [name, Object.fromEntries(byContender)]))

/** The contenders that real work is done on. */
const workers = ["plain", "bindfs", "bickford-memory", "bickford-passthrough"]

/** What was left out, and why; each is said when it happens. */
type Skipped = Array<{ readonly name: string; readonly reason: string }>

const leaveOut = (skipped: Skipped, name: string, from: string | undefined, reason: string): void => {
  skipped.push({ name: from === undefined ? name : `${name} ${from}`, reason })
  say(`${name} is left out${from === undefined ? "" : ` of ${from}`}: ${reason}`)
}

const sayMachine = (about: Machine, options: Options): void => {
  const load = loadavg().map((one) => one.toFixed(2))
  const clients = options.clients === 1 ? "One client" : `${options.clients} clients`
  say(
    `${about.cpu}, ${about.cpus} CPUs, Linux ${about.kernel}, Node ${about.node}, gcc ${about.gcc}, libfuse ${about.libfuse}`
  )
  say(`Load before: ${load.join(" ")} (1, 5 and 15 minutes); above 0.2 a figure is worth little.`)
  say(
    `${clients} and server on CPU ${options.cpus}; ${options.rounds} rounds of ${options.seconds} s, in turn; caches of names and attributes off.`
  )
}

/** The contenders and operations that `--only` names; all where it names none. */
const chosenOf = (all: ReturnType<typeof contenders>, only: Options["only"]) => {
  const unknown = only.filter(
    (name) => !all.some((one) => one.name === name) && !operations.some((one) => one.name === name)
  )
  if (unknown.length > 0) throw new TypeError(`--only: there is no ${unknown.join(", ")}`)
  const named = ({ name }: { readonly name: string }): boolean => only.includes(name)
  return {
    contenders: all.some(named) ? all.filter(named) : all,
    operations: operations.some(named) ? operations.filter(named) : operations
  }
}

type Chosen = ReturnType<typeof chosenOf>

const serveAll = async (
  chosen: Chosen,
  options: Options,
  workplace: Workplace,
  served: Array<Served>,
  skipped: Skipped
): Promise<void> => {
  for (const contender of chosen.contenders) {
    try {
      await contender.prepare()
      served.push(await serve(contender, workplace, options.cpus))
    } catch (error) {
      leaveOut(skipped, contender.name, undefined, reasonOf(error))
    }
  }
}

/** Prints the throughput, the ratios of ours to others of their kind, and the bars. Returns the bars' results. */
const sayThroughput = (
  throughput: Throughput,
  { operations: measured }: Chosen,
  names: ReadonlyArray<string>,
  all: ReturnType<typeof contenders>
): ReturnType<typeof barResults> => {
  say()
  say(throughputTable(throughput, measured, names))
  say()
  say(cpuTable(throughput, measured, names))
  const ours = names.filter((name) => name.startsWith("bickford"))
  const kinds = new Map(all.map(({ comparedAs, name, serves }) => [name, comparedAs ?? serves]))
  const comparedWith = (own: string): ReadonlyArray<string> =>
    names.filter(
      (name) => !ours.includes(name) && (kinds.get(name) === "nothing" || kinds.get(name) === kinds.get(own))
    )
  if (ours.some((own) => comparedWith(own).length > 0)) {
    say()
    say(ratioTable(throughput, measured, ours, comparedWith))
  }
  const results = barResults(throughput, measured)
  if (results.length > 0) {
    say()
    for (const line of barLines(results)) say(line)
  }
  return results
}

const measureStore = async (
  served: ReadonlyArray<Served>,
  throughput: Throughput,
  load: Loader,
  workplace: Workplace,
  options: Options
): Promise<StoreWrite | undefined> => {
  const store = served.find(({ name }) => name === "bickford-sqlite")
  if (store === undefined || throughput.get("seqwrite")?.has(store.name) !== true) return undefined
  const storeWrite = await measureStoreWrite(store, load, workplace, options)
  say()
  say(storeWriteLine(storeWrite))
  return storeWrite
}

/** What is measured one filesystem at a time, beside its throughput. */
const measureBeside = async (
  chosen: Chosen,
  names: ReadonlyArray<string>,
  load: Loader,
  workplace: Workplace,
  options: Options,
  skipped: Skipped
): Promise<{ readonly besides: Besides | undefined; readonly realWork: RealWork }> => {
  const memory = chosen.contenders.find(({ name }) => name === "bickford-memory")
  const besides = memory === undefined ? undefined : await measureBesides(memory, load, workplace, options)
  if (besides !== undefined) {
    say()
    for (const line of besidesLines(besides)) say(line)
  }
  const working = chosen.contenders.filter(({ name }) => workers.includes(name) && names.includes(name))
  const realWork = await measureRealWork(working, workplace, options, (contender, job, reason) =>
    leaveOut(skipped, contender, job, reason)
  )
  const workingNames = working.map(({ name }) => name)
  say()
  say(realWorkTable(realWork, workingNames))
  return { besides, realWork }
}

const bench = async (options: Options, workplace: Workplace, served: Array<Served>): Promise<void> => {
  const about = await machine()
  sayMachine(about, options)
  const load = await makeLoader(options.cpus)
  const all = contenders(options)
  const chosen = chosenOf(all, options.only)
  const skipped: Skipped = []
  await serveAll(chosen, options, workplace, served, skipped)
  const throughput = await measureThroughput(served, chosen.operations, load, options, (contender, operation, reason) =>
    leaveOut(skipped, contender, operation, reason)
  )
  const names = served.map(({ name }) => name)
  const bars = sayThroughput(throughput, chosen, names, all)
  const storeWrite = await measureStore(served, throughput, load, workplace, options)
  for (const one of served.splice(0)) await one.stop()
  const beside = options.throughputOnly
    ? undefined
    : await measureBeside(chosen, names, load, workplace, options, skipped)
  if (options.json === undefined) return
  const record = {
    machine: about,
    options,
    skipped,
    throughput: plainObject(throughput),
    bars,
    storeWrite,
    besides: beside?.besides,
    realWork: beside === undefined ? undefined : plainObject(beside.realWork)
  }
  await writeFile(options.json, `${JSON.stringify(record, undefined, 2)}\n`)
}

const main = async (): Promise<number> => {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) {
    say(usage)
    return 0
  }
  if (process.geteuid?.() !== 0) throw new Error("needs root: it mounts")
  const workplace = await makeWorkplace()
  const served: Array<Served> = []
  const cleanUp = async (): Promise<void> => {
    for (const one of served.splice(0)) await one.stop()
    await workplace.remove()
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)))
  }
  try {
    await bench(options, workplace, served)
    return 0
  } finally {
    await cleanUp()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`bench: ${reasonOf(error)}`)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
