/** Operations with their percentiles. */
import type { MountStatus } from "../control/StatusReport.ts"
import { percentile } from "./latencies.ts"
import type { MountNumbers } from "./numbers.ts"

export const withPercentiles = (operations: MountNumbers["operations"]): MountStatus["operations"] =>
  Object.fromEntries(
    Object.entries(operations).map(([opcode, numbers]) => [
      opcode,
      { ...numbers, p50: percentile(numbers.latencies, 0.5), p99: percentile(numbers.latencies, 0.99) }
    ])
  )
