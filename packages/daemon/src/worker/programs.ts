/** The names of the programs behind calls, looked up beside the calls and remembered for a while. */
import { callerOf } from "./callers.ts"

/** Milliseconds after which a process is looked at again: it may have become another program. */
const freshFor = 1000

/** Processes that are remembered; with more of them all are forgotten. */
const rememberedMost = 1000

interface Known {
  readonly program: string | undefined
  readonly since: number
}

/** Calls `then` with the program of a process, undefined where it cannot be known; one after the other, as they were asked for. */
export type Programs = (pid: number, then: (program: string | undefined) => void) => void

export const makePrograms = (): Programs => {
  const known = new Map<number, Known>()
  const looking = new Map<number, Promise<Known>>()
  /** The last of those that wait. */
  let tail: Promise<void> | undefined

  const look = (pid: number): Promise<Known> => {
    const begun = looking.get(pid)
    if (begun !== undefined) return begun
    const looked = callerOf(pid, false).then(({ program }) => {
      looking.delete(pid)
      if (known.size >= rememberedMost) known.clear()
      // A process that has ended was what it was last seen as.
      const found: Known = { program: program ?? known.get(pid)?.program, since: performance.now() }
      known.set(pid, found)
      return found
    })
    looking.set(pid, looked)
    return looked
  }

  return (pid, then) => {
    const one = known.get(pid)
    if (one !== undefined && performance.now() - one.since >= freshFor) void look(pid)
    if (one !== undefined && tail === undefined) return then(one.program)
    const found = one === undefined ? look(pid) : Promise.resolve(one)
    const mine: Promise<void> = (tail ?? Promise.resolve()).then(async () => {
      then((await found).program)
      if (tail === mine) tail = undefined
    })
    tail = mine
  }
}
