/**
 * How much runs at once. Past a limit requests wait here, read but not begun: reading goes on, since what
 * would let the running ones end (an unlock, a release, a FORGET, an INTERRUPT) may be the next to come.
 */
import type { InFlight } from "../connection/InFlightTable.ts"
import { type OperationName, operations, type Request } from "@bickford/protocol"
import { payloadOf } from "./payload.ts"

export interface Limits {
  /** Operations that run at once. Default: no limit but the kernel's own. */
  readonly maxInFlight?: number
  /** Bytes of WRITE, IOCTL and SETXATTR payloads of the operations that run at once. Default: no limit. */
  readonly maxBytesInFlight?: number
}

/** Never counted and never held back. */
const always = (Object.keys(operations) as ReadonlyArray<OperationName>).filter((name) => operations[name].unlimited)

const payloadBytes = (request: Request): number => payloadOf(request)?.length ?? 0

export interface Admission {
  /** Whether a request may begin now. */
  readonly admits: (request: Request) => boolean
  /** It has begun, and suspended. */
  readonly enter: (entry: InFlight) => void
  /** It has ended: others may begin. */
  readonly leave: (entry: InFlight) => void
  /** It waits for its turn. */
  readonly enqueue: (entry: InFlight) => void
  /** Takes one out that will not begin any more; false when it does not wait here. */
  readonly withdraw: (entry: InFlight) => boolean
}

/** `waits`: operations of the backend that may wait for other calls. */
export const makeAdmission = (
  limits: Limits,
  waits: ReadonlyArray<string>,
  begin: (entry: InFlight) => void
): Admission => {
  const exempt: ReadonlySet<string> = new Set([...always, ...waits])
  const maxInFlight = limits.maxInFlight ?? Number.POSITIVE_INFINITY
  const maxBytes = limits.maxBytesInFlight ?? Number.POSITIVE_INFINITY
  const unlimited = maxInFlight === Number.POSITIVE_INFINITY && maxBytes === Number.POSITIVE_INFINITY
  const waiting = new Set<InFlight>()
  const running = new Map<InFlight, number>()
  let bytes = 0

  // One payload larger than the limit runs alone.
  const fits = (more: number): boolean => running.size < maxInFlight && (running.size === 0 || bytes + more <= maxBytes)

  return {
    admits: (request) => unlimited || exempt.has(request.op) || (waiting.size === 0 && fits(payloadBytes(request))),
    enter: (entry) => {
      if (unlimited || exempt.has(entry.request.op)) return
      const size = payloadBytes(entry.request)
      running.set(entry, size)
      bytes += size
    },
    leave: (entry) => {
      const size = running.get(entry)
      if (size === undefined) return
      running.delete(entry)
      bytes -= size
      for (const next of waiting) {
        if (!fits(payloadBytes(next.request))) return
        waiting.delete(next)
        begin(next)
      }
    },
    enqueue: (entry) => void waiting.add(entry),
    withdraw: (entry) => waiting.delete(entry)
  }
}
