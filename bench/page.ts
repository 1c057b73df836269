/**
 * `npm run bench:page -- [--rounds N] [--seconds S] [--only READER,READER] [--browser]`: what it costs a mount in memory that is kept busy to be
 * looked at. Each round measures it once without a reader and once with each kind of reader, in an order that turns; printed
 * are the medians of the rounds' ratios: of operations a second, and of the worker's processor time for each operation, which
 * tells the same on a machine that others use as well. The keeper's is what goes on beside the mount. `--browser` has Chromium open the page as well, which needs a processor of its own.
 */
import * as Effect from "effect/Effect"
import { get } from "node:http"
import { parseArgs } from "node:util"
import { mountConfig, mountpoints, startDaemon, workFolder } from "../test/daemon/daemon.ts"
import { makeLoader } from "./loader.ts"
import { cpuNanoseconds } from "./process.ts"
import { median, ratio } from "./statistics.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "1" },
    browser: { type: "boolean", default: false },
    only: { type: "string" },
    port: { type: "string", default: "19743" }
  }
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const port = Number(values.port)

/** Of one round: operations a second, microseconds of the worker's processor time for one, percent of a processor for the keeper. */
interface Round {
  readonly rate: number
  readonly worker: number
  readonly keeper: number
}

/** What each of these has open while it looks. */
interface Reader {
  readonly name: string
  /** Opens it, and returns what closes it. */
  readonly open: (socket: string) => Promise<() => Promise<void>>
}

/** Reads answers of the control socket as they come, as the page does. */
const reading = (name: string, ...paths: ReadonlyArray<string>): Reader => ({
  name,
  open: async (socketPath) => {
    const requests = await Promise.all(
      paths.map(
        (path) =>
          new Promise<ReturnType<typeof get>>((resolve, reject) => {
            const request = get({ socketPath, path }, (response) => {
              response.resume()
              resolve(request)
            }).once("error", reject)
          })
      )
    )
    return async () => {
      for (const request of requests) request.destroy()
    }
  }
})

const inChromium: Reader = {
  name: "page in Chromium",
  open: async () => {
    const { chromium } = await import("playwright-core")
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/#/mounts/data`)
    await page.getByText("Total time").waitFor()
    return () => browser.close()
  }
}

const all: ReadonlyArray<Reader> = [
  { name: "nobody", open: async () => async () => {} },
  reading("mounts", "/events"),
  reading("mount", "/events?mount=data"),
  // As the page asks: looking may take half a percent of the worker's time.
  reading("calls of a path", "/events?mount=data", "/mounts/data/calls?path=/no/such/path&share=0.5"),
  reading("every call", "/events?mount=data", "/mounts/data/calls?share=0.5"),
  // As bickford trace asks.
  reading("trace", "/mounts/data/calls"),
  ...(values.browser ? [inChromium] : [])
]

/** Those that were asked for, beside nobody. */
const readers = all.filter(
  ({ name }) => name === "nobody" || values.only === undefined || values.only.split(",").includes(name)
)

const measured = Effect.gen(function* () {
  const folder = yield* workFolder
  const [mountpoint = ""] = yield* mountpoints(1)
  const daemon = yield* startDaemon(folder, [mountConfig("data", "memory:", mountpoint)], port)
  yield* Effect.promise(() => daemon.reaches("data", "running"))
  return yield* Effect.promise(async () => {
    const load = await makeLoader("0-1023")
    const { pid = 0 } = await daemon.mount("data")
    const keeper = daemon.process.pid ?? 0
    const byReader = new Map<string, Array<Round>>(readers.map(({ name }) => [name, []]))
    // The first is not counted: the worker's code is not compiled yet.
    await load(mountpoint, { operation: "lookup-miss", seconds })
    for (let round = 0; round < rounds; round++) {
      for (let nth = 0; nth < readers.length; nth++) {
        const reader = readers[(round + nth) % readers.length]
        if (reader === undefined) continue
        const close = await reader.open(daemon.socket)
        const [worked, kept] = [cpuNanoseconds(pid), cpuNanoseconds(keeper)]
        const { operations, operationsPerSecond } = await load(mountpoint, { operation: "lookup-miss", seconds })
        byReader.get(reader.name)?.push({
          rate: operationsPerSecond,
          worker: (cpuNanoseconds(pid) - worked) / operations / 1000,
          keeper: (cpuNanoseconds(keeper) - kept) / seconds / 1e7
        })
        await close()
      }
    }
    return byReader
  })
})

const found = await Effect.runPromise(Effect.scoped(measured))
const alone = found.get("nobody") ?? []
console.log(
  `lookup-miss on memory:, ${rounds} rounds of ${seconds} s each, in turns; beside nobody's in the same round`
)
for (const [name, results] of found) {
  const of = (key: keyof Round) => median(results.map((round) => round[key]))
  const beside = (key: keyof Round) =>
    ratio(
      results.map((round) => round[key]),
      alone.map((round) => round[key])
    ).toFixed(3)
  console.log(
    `${name.padEnd(16)} ${of("rate").toFixed(0).padStart(7)} op/s (${beside("rate")})  worker ${of("worker").toFixed(2)} us/op (${beside("worker")})  keeper ${of("keeper").toFixed(1)} % of a processor`
  )
}
