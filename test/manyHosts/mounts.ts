/** Two hosts of one store on one machine: two mounts, each with a server of its own. */
import { join } from "node:path"
import { withMount } from "../mount/bickford.ts"
import { run } from "../mount/processes.ts"

/** What a run of pairs.mjs tells. */
export interface Stale {
  readonly looks: number
  /** Looks that told what was before a call that had returned. */
  readonly stale: number
  readonly some: ReadonlyArray<string>
}

const isStale = (value: unknown): value is Stale =>
  typeof value === "object" &&
  value !== null &&
  "looks" in value &&
  typeof value.looks === "number" &&
  "stale" in value &&
  typeof value.stale === "number" &&
  "some" in value &&
  Array.isArray(value.some)

/** Has `body` use two mounts of a store. */
const withTwoMounts = <A>(url: string, body: (one: string, other: string) => Promise<A>): Promise<A> => {
  const args = ["-o", "many_hosts"]
  return withMount((first) => withMount((second) => body(first.mountpoint, second.mountpoint), args, url), args, url)
}

/** Changes through one mount and looks through the other, so many times. */
export const lookForStale = (url: string, pairs: number, timeoutMilliseconds?: number): Promise<Stale> =>
  withTwoMounts(url, async (one, other) => {
    const program = join(import.meta.dirname, "pairs.mjs")
    const limit = timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds }
    const said = await run(process.execPath, [program, one, other, String(pairs)], limit)
    const told: unknown = JSON.parse(said)
    if (!isStale(told)) throw new Error(`pairs.mjs said ${said}`)
    return told
  })
