/** What a worker counts of its calls, cheaply: one entry an opcode, latencies in a histogram of steps. */
import type { Observer } from "@bickford/session"
import type { WorkerNumbers } from "./messages.ts"

// Four steps to each doubling: a percentile is at most a fifth too high.
const stepsPerDoubling = 4
const steps = 30 * stepsPerDoubling

interface Counted {
  count: number
  errors: number
  readonly latencies: Uint32Array
}

const stepOf = (microseconds: number): number =>
  Math.max(0, Math.min(steps - 1, Math.ceil(Math.log2(microseconds) * stepsPerDoubling)))

/** The upper bound of the step that holds the percentile, in microseconds. */
const percentile = (latencies: Uint32Array, share: number): number => {
  const total = latencies.reduce((sum, one) => sum + one, 0)
  let seen = 0
  for (let step = 0; step < steps; step++) {
    seen += latencies[step] ?? 0
    if (total > 0 && seen >= total * share) return Math.round(2 ** (step / stepsPerDoubling) * 10) / 10
  }
  return 0
}

export interface Counters {
  readonly observer: Observer
  readonly numbers: (inFlight: number) => WorkerNumbers
}

export const makeCounters = (): Counters => {
  const operations = new Map<string, Counted>()
  const began = new Map<number | bigint, number>()
  let requests = 0
  let errors = 0
  let bytesRead = 0
  let bytesWritten = 0
  const counted = (name: string): Counted => {
    let one = operations.get(name)
    if (one === undefined) {
      one = { count: 0, errors: 0, latencies: new Uint32Array(steps) }
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
          const step = stepOf((performance.now() - at) * 1000)
          one.latencies[step] = (one.latencies[step] ?? 0) + 1
        }
        if (errno !== 0) {
          one.errors++
          errors++
        } else if (request.op === "read") bytesRead += bytes
        else if (request.op === "write") bytesWritten += request.size
      }
    },
    numbers: (inFlight) => ({
      inFlight,
      requests,
      errors,
      bytesRead,
      bytesWritten,
      operations: Object.fromEntries(
        Array.from(operations, ([name, one]) => [
          name,
          {
            count: one.count,
            errors: one.errors,
            p50: percentile(one.latencies, 0.5),
            p99: percentile(one.latencies, 0.99)
          }
        ])
      )
    })
  }
}
