/** The kill test: programs work on a mount while its server is killed, again and again, and notice nothing. */
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { compileNames, makeLoads, type Slowest } from "./loads.ts"
import { makeMaterial, type Sizes } from "./material.ts"
import type { Victim } from "./victim.ts"

export interface KillTest extends Sizes {
  readonly kills: number
  /** Calls of the eight processes that change names. */
  readonly calls: number
  /**
   * Milliseconds from one server's start to its death, at the least and the most. On a busy machine a server lives for up
   * to as long as its start took, so that the loads go on.
   */
  readonly between: readonly [number, number]
}

export interface Report {
  readonly kills: number
  readonly seconds: number
  /** How often each load has done its whole work while servers died. */
  readonly rounds: ReadonlyMap<string, number>
  /** Milliseconds. */
  readonly slowest: Slowest
  readonly failures: ReadonlyArray<string>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** `folder` is for what the programs work with: not on the mount. Fails only where the servers themselves cannot be started. */
export const runKillTest = async (victim: Victim, folder: string, test: KillTest): Promise<Report> => {
  const material = await makeMaterial(folder, test)
  const slowest: Slowest = new Map()
  const loads = makeLoads(material, test.calls, await compileNames(folder), slowest)
  const rounds = new Map<string, number>()
  const failures: Array<string> = []
  const start = performance.now()
  let over = false
  const working = loads
    .map(async ({ name, once }) => {
      do {
        const round = rounds.get(name) ?? 0
        await once(join(victim.mountpoint, `${name.replaceAll(" ", "-")}-${round}`))
        rounds.set(name, round + 1)
      } while (!over)
    })
    .map((load, n) =>
      load.catch((error: unknown) => void failures.push(`${loads[n]?.name ?? ""}: ${messageOf(error)}`))
    )
  let kills = 0
  const [least, most] = test.between
  let startTook = 0
  for (; kills < test.kills && failures.length === 0; kills++) {
    // Where in the work the blow falls is chance.
    await delay(least + Math.random() * Math.max(most - least, startTook))
    const killed = performance.now()
    await victim.kill()
    startTook = performance.now() - killed
  }
  over = true
  await Promise.all(working)
  return { kills, seconds: (performance.now() - start) / 1000, rounds, slowest, failures }
}
