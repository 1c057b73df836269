/** A store's sequential write beside the same commits on bare `node:sqlite`, in turn. */
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { run } from "../test/mount/processes.ts"
import type { Loader } from "./loader.ts"
import type { Options } from "./options.ts"
import { cpuSeconds } from "./process.ts"
import type { Served } from "./served.ts"
import { median } from "./statistics.ts"
import { benchFolder, type Workplace } from "./workplace.ts"

export interface StoreWrite {
  /** MiB/s, medians. */
  readonly mounted: number
  readonly bare: number
  /** The median of the rounds' own ratios, and what we ask of it. */
  readonly ratio: number
  readonly atLeast: number
}

const atLeast = 0.6

/** Waits until the server has nothing left to tidy up: what it does for itself would slow the other side. */
const idle = async ({ pid }: Served): Promise<void> => {
  if (pid === undefined) return
  for (let before = -1, now = cpuSeconds(pid); now > before + 0.01; before = now, now = cpuSeconds(pid))
    await delay(300)
}

export const measureStoreWrite = async (
  served: Served,
  load: Loader,
  workplace: Workplace,
  options: Options
): Promise<StoreWrite> => {
  const storage = await workplace.makeStorage("commits")
  const rounds: Array<{ readonly mounted: number; readonly bare: number }> = []
  for (let round = 0; round < options.rounds; round++) {
    const { mebibytesPerSecond: mounted } = await load(served.folder, {
      operation: "seqwrite",
      seconds: options.seconds
    })
    await idle(served)
    const program = join(benchFolder, "programs", "commits.ts")
    const said = await run("taskset", [
      "-c",
      options.cpus,
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      program,
      join(storage, `store${round}`),
      String(options.seconds)
    ])
    rounds.push({ mounted, bare: Number(said) })
  }
  return {
    mounted: median(rounds.map(({ mounted }) => mounted)),
    bare: median(rounds.map(({ bare }) => bare)),
    ratio: median(rounds.map(({ bare, mounted }) => mounted / bare)),
    atLeast
  }
}

export const storeWriteLine = ({ bare, mounted, ratio }: StoreWrite): string =>
  `seqwrite on a store     ${mounted.toFixed(0)} MiB/s; the same commits on node:sqlite ${bare.toFixed(0)} MiB/s: ${ratio.toFixed(2)} (${ratio >= atLeast ? "reached" : "missed"}: ${atLeast})`
