/** Times as Node's functions take them. */
import type { PathAttributes } from "@bickford/backends"
import type { Timespec } from "@bickford/protocol"

const secondsOf = ({ nsec, sec }: Timespec): number => Number(sec) + nsec / 1e9

/** A time for `utimes`: seconds, precise to some hundred nanoseconds. Node takes a negative number for the present, but not a Date. */
export const nodeTime = (time: PathAttributes["atime"]): number | Date => {
  if (time === undefined) return 0
  if (time instanceof Date) return time
  const seconds = typeof time === "number" ? time : secondsOf(time)
  return seconds < 0 ? new Date(seconds * 1000) : seconds
}

/** The present, to the millisecond. */
export const now = (): Timespec => {
  const milliseconds = Date.now()
  return { sec: Math.floor(milliseconds / 1000), nsec: (milliseconds % 1000) * 1_000_000 }
}
