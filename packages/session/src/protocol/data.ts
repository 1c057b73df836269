/** Replies that are bytes of the backend's own: counted and checked here, copied only when they must be. */
import type { Data } from "./messages.ts"
import { refuse } from "./refusal.ts"

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
