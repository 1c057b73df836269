/** Somebody who watches a mount's calls. */
import type { CallFilter } from "@bickford/session"

export interface CallWatcher {
  readonly filter: CallFilter
  /** Is given a JSON object each: a call, or `{ "missed": N }` for those that it is not told of. */
  readonly listener: (line: string) => void
}

/** What is told of calls that were wanted, and too many. */
export const missedLine = (count: number): string => JSON.stringify({ missed: count })
