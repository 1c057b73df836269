/** The CPUs that queues are for. */
import { readFileSync } from "node:fs"

/** Entries of an online CPU's queue, as libfuse's default (`io_uring_q_depth`). */
const defaultDepth = 8

/** The numbers in a list as the kernel writes it, `0-3,8`. */
export const cpuList = (text: string): ReadonlyArray<number> =>
  text
    .trim()
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [from = 0, to = from] = range.split("-").map(Number)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })

const readList = (name: string): ReadonlyArray<number> => {
  try {
    return cpuList(readFileSync(`/sys/devices/system/cpu/${name}`, "latin1"))
  } catch {
    return []
  }
}

/**
 * The queue of each entry, a queue's entries together. The kernel waits for every *possible* CPU's queue to have one
 * (`fs/fuse/dev_uring.c`, is_ring_ready); a CPU that is not there needs no more.
 */
export const queuesOf = (
  possible: ReadonlyArray<number>,
  online: ReadonlyArray<number>,
  depth = defaultDepth
): Uint16Array =>
  Uint16Array.from(possible.flatMap((cpu) => Array.from({ length: online.includes(cpu) ? depth : 1 }, () => cpu)))

/** What one of several threads serves. */
export interface QueueShare {
  /** The CPUs that it runs on: those whose callers it serves. */
  readonly cpus: ReadonlyArray<number>
  /** The queue of each entry. */
  readonly queues: Uint16Array
}

/** The queues of a machine, shared out among so many threads at most: each online CPU's to one, those of CPUs that are not there to all. */
export const sharesOf = (
  possible: ReadonlyArray<number>,
  online: ReadonlyArray<number>,
  threads: number,
  depth?: number
): ReadonlyArray<QueueShare> => {
  const present = possible.filter((cpu) => online.includes(cpu))
  const absent = possible.filter((cpu) => !online.includes(cpu))
  const count = Math.min(threads, present.length)
  return Array.from({ length: count }, (_, thread) => {
    const isOwn = (_cpu: number, index: number): boolean => index % count === thread
    const cpus = present.filter(isOwn)
    return { cpus, queues: queuesOf([...cpus, ...absent.filter(isOwn)], online, depth) }
  })
}

/** This machine's, shared out. */
export const machineShares = (threads: "auto" | number, depth?: number): ReadonlyArray<QueueShare> =>
  sharesOf(readList("possible"), readList("online"), threads === "auto" ? Number.MAX_SAFE_INTEGER : threads, depth)

/** The queues of this machine's CPUs; none where the kernel does not list them. */
export const machineQueues = (depth?: number): Uint16Array => queuesOf(readList("possible"), readList("online"), depth)
