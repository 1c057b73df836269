/** `npm run bench`: Bickford beside other ways to serve a filesystem, in one run (docs/performance.md). */
import { writeFile } from "node:fs/promises"
import { loadavg } from "node:os"
import { type Besides, besidesLines, measureBesides } from "./besides.ts"
import { contenders } from "./contenders.ts"
import { makeLoader } from "./loader.ts"
import { machine } from "./machine.ts"
import { operations } from "./operations.ts"
import { type Options, parseOptions, usage } from "./options.ts"
import { measureRealWork, type RealWork, realWorkTable } from "./realWork.ts"
import { barLines, barResults, ratioTable, throughputTable } from "./report.ts"
import { serve, type Served } from "./served.ts"
import { measureStoreWrite, type StoreWrite, storeWriteLine } from "./store.ts"
import { measureThroughput } from "./throughput.ts"
import { makeWorkplace, type Workplace } from "./workplace.ts"

const say = (text = ""): void => console.log(text)
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const plainObject = <A>(results: ReadonlyMap<string, ReadonlyMap<string, A>>): unknown =>
  Object.fromEntries(Array.from(results, ([name, byContender]) => [name, Object.fromEntries(byContender)]))

/** The contenders that real work is done on. */
const workers = ["plain", "bindfs", "bickford-memory", "bickford-passthrough"]

const bench = async (options: Options, workplace: Workplace, served: Array<Served>): Promise<void> => {
  const about = await machine()
  say(
    `${about.cpu}, ${about.cpus} CPUs, Linux ${about.kernel}, Node ${about.node}, gcc ${about.gcc}, libfuse ${about.libfuse}`
  )
  say(
    `Load before: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(" ")} (1, 5 and 15 minutes); above 0.2 a figure is worth little.`
  )
  say(
    `${options.clients === 1 ? "One client" : `${options.clients} clients`} and server on CPU ${options.cpus}; ${options.rounds} rounds of ${options.seconds} s, in turn; caches of names and attributes off.`
  )
  const load = await makeLoader(options.cpus)
  const all = contenders(options.beside)
  const named = (name: string): boolean => options.only.includes(name)
  const chosenContenders = all.some(({ name }) => named(name)) ? all.filter(({ name }) => named(name)) : all
  const chosen = operations.some(({ name }) => named(name)) ? operations.filter(({ name }) => named(name)) : operations
  const unknown = options.only.filter(
    (name) => !all.some((one) => one.name === name) && !operations.some((one) => one.name === name)
  )
  if (unknown.length > 0) throw new TypeError(`--only: there is no ${unknown.join(", ")}`)

  const skipped: Array<{ readonly name: string; readonly reason: string }> = []
  for (const contender of chosenContenders) {
    try {
      await contender.prepare()
      served.push(await serve(contender, workplace, options.cpus))
    } catch (error) {
      const reason = reasonOf(error)
      skipped.push({ name: contender.name, reason })
      say(`${contender.name} is left out: ${reason}`)
    }
  }
  const throughput = await measureThroughput(served, chosen, load, options, (contender, operation, reason) => {
    skipped.push({ name: `${contender} ${operation}`, reason })
    say(`${contender} is left out of ${operation}: ${reason}`)
  })
  const names = served.map(({ name }) => name)
  say()
  say(throughputTable(throughput, chosen, names))
  const ours = names.filter((name) => name.startsWith("bickford"))
  const kinds = new Map(all.map(({ comparedAs, name, serves }) => [name, comparedAs ?? serves]))
  const comparedWith = (own: string): ReadonlyArray<string> =>
    names.filter(
      (name) => !ours.includes(name) && (kinds.get(name) === "nothing" || kinds.get(name) === kinds.get(own))
    )
  if (ours.some((own) => comparedWith(own).length > 0)) {
    say()
    say(ratioTable(throughput, chosen, ours, comparedWith))
  }
  const results = barResults(throughput, chosen)
  if (results.length > 0) {
    say()
    for (const line of barLines(results)) say(line)
  }
  const store = served.find(({ name }) => name === "bickford-sqlite")
  let storeWrite: StoreWrite | undefined
  if (store !== undefined && throughput.get("seqwrite")?.has(store.name) === true) {
    storeWrite = await measureStoreWrite(store, load, workplace, options)
    say()
    say(storeWriteLine(storeWrite))
  }
  for (const one of served.splice(0)) await one.stop()

  let besides: Besides | undefined
  let realWork: RealWork | undefined
  if (!options.throughputOnly) {
    const memory = chosenContenders.find(({ name }) => name === "bickford-memory")
    if (memory !== undefined) {
      besides = await measureBesides(memory, load, workplace, options)
      say()
      for (const line of besidesLines(besides)) say(line)
    }
    const working = chosenContenders.filter(({ name }) => workers.includes(name) && names.includes(name))
    realWork = await measureRealWork(working, workplace, options, (contender, job, reason) => {
      skipped.push({ name: `${contender} ${job}`, reason })
      say(`${contender} is left out of ${job}: ${reason}`)
    })
    say()
    say(
      realWorkTable(
        realWork,
        working.map(({ name }) => name)
      )
    )
  }
  if (options.json !== undefined) {
    const record = {
      machine: about,
      options,
      skipped,
      throughput: plainObject(throughput),
      bars: results,
      storeWrite,
      besides,
      realWork: realWork === undefined ? undefined : plainObject(realWork)
    }
    await writeFile(options.json, `${JSON.stringify(record, undefined, 2)}\n`)
  }
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
