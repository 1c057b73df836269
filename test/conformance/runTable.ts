/** Runs the table in a place. */
import { patienceMilliseconds } from "../patience.ts"
import { buildDriver, type Driver, type Drivers, makeDrivers } from "./driver.ts"
import type { Place } from "./places.ts"
import { runScript } from "./script.ts"
import type { Behaviour, Group } from "./table.ts"

export interface GroupReport {
  readonly name: string
  readonly passed: number
  readonly failed: ReadonlyArray<string>
  /** What failed because the kernel does not ask a FUSE server. */
  readonly refused: ReadonlyArray<string>
}

const triesOnASharedDisk = 20

/** Each behaviour has a folder of its own, in which everybody may write. */
const runBehaviour = async (drivers: Drivers, folder: string, { steps }: Behaviour): Promise<string | undefined> => {
  const root = drivers.get("root")
  await root.call("leave")
  const made = await root.call(`make dir ${folder} 0777`)
  if (made.errno !== undefined) return `its folder: ${made.errno}`
  const enter = async (driver: Driver): Promise<void> => {
    const { errno } = await driver.call(`enter ${folder}`)
    if (errno !== undefined) throw new Error(`entering its folder: ${errno}`)
  }
  try {
    return await runScript(steps, drivers, enter)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await Promise.all(drivers.started().map((driver) => driver.call("leave").catch(() => undefined)))
  }
}

const inAFewTries = async (
  once: () => Promise<string | undefined>,
  tries = triesOnASharedDisk
): Promise<string | undefined> => {
  const why = await once()
  return why === undefined || tries === 1 ? why : inAFewTries(once, tries - 1)
}

/** Runs groups one behaviour after the other; `report` hears of each group as it ends. */
export const runTable = async (
  place: Place,
  groups: ReadonlyArray<Group>,
  report: (group: GroupReport) => void
): Promise<void> => {
  const program = await buildDriver()
  let drivers = makeDrivers(program, place.folder)
  let folders = 0
  try {
    for (const { behaviours, name } of groups) {
      const failed: Array<string> = []
      const refused: Array<string> = []
      for (const behaviour of behaviours) {
        let watchdog: NodeJS.Timeout | undefined
        const late = new Promise<string>((resolve) => {
          watchdog = setTimeout(async () => resolve(`hangs; ${await place.release()}`), patienceMilliseconds)
        })
        const once = () => runBehaviour(drivers, String(folders++), behaviour)
        const why = await Promise.race([behaviour.ofAllOnTheDisk ? inAFewTries(once) : once(), late])
        clearTimeout(watchdog)
        if (why === undefined) continue
        const refusal = place.fuse ? (behaviour.refusedOnFuse ?? place.byKernel?.(behaviour.name)) : undefined
        if (refusal !== undefined) refused.push(`${behaviour.name}: ${refusal}`)
        else failed.push(`${behaviour.name}: ${why}`)
        // A driver may have ended, or still be in a call.
        drivers.end()
        drivers = makeDrivers(program, place.folder)
      }
      report({ name, passed: behaviours.length - failed.length - refused.length, failed, refused })
    }
  } finally {
    drivers.end()
  }
}
