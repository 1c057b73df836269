/** What a worker counts of its calls, cheaply: one entry an opcode, latencies in a histogram of steps. */
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import type { Observer } from "@bickford/session"
import { latencySteps, stepOf } from "../metrics/latencies.ts"
import { isFailure, type MountNumbers } from "../metrics/numbers.ts"

interface Counted {
  count: number
  errors: number
  microseconds: number
  readonly latencies: Uint32Array
}

const sparse = (latencies: Uint32Array): { readonly [step: number]: number } =>
  Object.fromEntries(Array.from(latencies, (count, step) => [step, count]).filter(([, count]) => count !== 0))

/** What a connection holds now. */
export type HeldNumbers = Pick<MountNumbers, "inFlight" | "nodes" | "handles" | "passthroughFiles">

export interface Counters {
  readonly observer: Observer
  readonly numbers: (held: HeldNumbers) => MountNumbers
  /** How long ago a call's request was read (milliseconds); undefined once it was answered. */
  readonly ageOf: (unique: U64) => number | undefined
}

/** Is told of calls that took at least `milliseconds`, when each was answered. */
export interface SlowListener {
  readonly milliseconds: number
  readonly answered: (row: OpcodeRow, request: Request, errno: number, microseconds: number) => void
}

export const makeCounters = (slow?: SlowListener): Counters => {
  const operations = new Map<string, Counted>()
  const began = new Map<U64, number>()
  const slowest = slow === undefined ? Number.POSITIVE_INFINITY : slow.milliseconds * 1000
  let requests = 0
  let errors = 0
  let bytesRead = 0
  let bytesWritten = 0
  const counted = (name: string): Counted => {
    let one = operations.get(name)
    if (one === undefined) {
      one = { count: 0, errors: 0, microseconds: 0, latencies: new Uint32Array(latencySteps) }
      operations.set(name, one)
    }
    return one
  }
  return {
    observer: {
      received: (row, request) => {
        requests++
        if (row.hasReply) began.set(request.unique, performance.now())
        else counted(row.name).count++
      },
      replied: (row, request, errno, bytes) => {
        const at = began.get(request.unique)
        began.delete(request.unique)
        const one = counted(row.name)
        one.count++
        if (at !== undefined) {
          const microseconds = (performance.now() - at) * 1000
          const step = stepOf(microseconds)
          one.latencies[step] = (one.latencies[step] ?? 0) + 1
          one.microseconds += microseconds
          if (microseconds >= slowest) slow?.answered(row, request, errno, microseconds)
        }
        if (isFailure(errno)) {
          one.errors++
          errors++
        } else if (errno !== 0) return
        else if (request.op === "read") bytesRead += bytes
        else if (request.op === "write") bytesWritten += request.size
      }
    },
    ageOf: (unique) => {
      const at = began.get(unique)
      return at === undefined ? undefined : performance.now() - at
    },
    numbers: (held) => ({
      ...held,
      workerRss: process.memoryUsage.rss(),
      requests,
      errors,
      bytesRead,
      bytesWritten,
      operations: Object.fromEntries(
        Array.from(operations, ([name, { count, errors: failed, latencies, microseconds }]) => [
          name,
          { count, errors: failed, microseconds: Math.round(microseconds), latencies: sparse(latencies) }
        ])
      )
    })
  }
}
