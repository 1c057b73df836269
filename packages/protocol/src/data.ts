/** Replies that are bytes of the backend's own: counted and checked here, copied only when they must be. */
import type { Data, FileRange } from "./messages.ts"
import { refuse } from "./refusal.ts"

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0
/** An offset that only a bigint holds. Beyond 2^63, where off_t ends, reading there is EINVAL, as pread(2) has it. */
const isFarOffset = (value: unknown): value is bigint => typeof value === "bigint" && value >= 0n && value < 1n << 64n

/** Whether a reply's body lies in a file. */
export const isFileRange = (value: unknown): value is FileRange =>
  typeof value === "object" && value !== null && "fd" in value && "offset" in value && "length" in value &&
  isCount(value.fd) && isCount(value.length) && (isCount(value.offset) || isFarOffset(value.offset))

/** The views of `data`, or undefined when it is not bytes. */
export const viewsOf = (data: unknown): ReadonlyArray<Uint8Array> | undefined => {
  if (data instanceof Uint8Array) return [data]
  if (!Array.isArray(data)) return undefined
  for (const part of data) if (!(part instanceof Uint8Array)) return undefined
  return data
}

/** Length in bytes. Refuses what is neither bytes nor a list of them. */
export const dataLength = (data: Data, what: string): number => {
  if (data instanceof Uint8Array) return data.length
  const views = viewsOf(data)
  if (views === undefined) refuse("EIO", `${what} is not bytes`)
  let length = 0
  for (const view of views) length += view.length
  return length
}

/** Copies all of it to `at`; returns its length. */
export const putData = (bytes: Uint8Array, at: number, data: Data): number => {
  if (data instanceof Uint8Array) {
    bytes.set(data, at)
    return data.length
  }
  let to = at
  for (const view of data) {
    bytes.set(view, to)
    to += view.length
  }
  return to - at
}
