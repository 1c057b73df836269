/** The CSV of a mount's history, as numbers. */

/** Of one minute: `at` when it began, in milliseconds since the epoch; sums of the minute, bytes, microseconds. */
export interface Series {
  readonly at: number
  readonly operations: number
  readonly errors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly p99: number
  readonly workerBytes: number
}

/** The minutes of a CSV as the daemon sends it, its first line being the names of the columns. */
export const minutesOf = (csv: string): ReadonlyArray<Series> => {
  const [head = "", ...lines] = csv.trim().split("\n")
  const names = head.split(",")
  return lines.map((line) => {
    const cells = line.split(",")
    const cell = (name: string): string => cells[names.indexOf(name)] ?? ""
    const number = (name: string): number => Number(cell(name)) || 0
    return {
      at: Date.parse(cell("time")),
      operations: number("operations"),
      errors: number("errors"),
      bytesRead: number("bytes_read"),
      bytesWritten: number("bytes_written"),
      p99: number("p99_us"),
      workerBytes: number("worker_bytes")
    }
  })
}
