/** The names of one base directory, in the order of their cookies. */
import { type Name, nameKey, nameToBytes, type U64 } from "@bickford/protocol"
import { firstCookie, type HashKey, lastCookie } from "../sqlite/names.ts"
import type { BaseEntry } from "./baseListing.ts"

/** One name of the base, and the cookie that it has here. */
export interface NamedBelow {
  readonly key: string
  readonly name: Name
  readonly ino: U64
  readonly type: number
  readonly cookie: number
}

export interface BaseNames {
  readonly after: (off: number) => Iterable<NamedBelow>
  readonly cookieOf: (name: Name) => number | undefined
  /** True of a cookie that a name of the base has. */
  readonly isTaken: (cookie: number) => boolean
}

const indexAfter = (order: ReadonlyArray<NamedBelow>, off: number): number => {
  let from = 0
  let to = order.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((order[middle]?.cookie ?? 0) <= off) from = middle + 1
    else to = middle
  }
  return from
}

/**
 * Gives every name a cookie: the first one from its hash on that no other has. `stored` has the cookies of names that have
 * a row; a base name with a row keeps that cookie.
 */
export const orderNames = (
  entries: ReadonlyArray<BaseEntry>,
  key: HashKey,
  stored: ReadonlyMap<string, number>
): BaseNames => {
  const byCookie = new Set<number>(stored.values())
  const hashed = entries.map((entry) => ({ entry, first: firstCookie(nameToBytes(entry.name), key) }))
  const place = (name: string, first: number): number => {
    const known = stored.get(name)
    if (known !== undefined) return known
    for (let cookie = first; cookie <= lastCookie(first); cookie++) if (!byCookie.has(cookie)) return cookie
    throw new Error("too many names of one directory have the same hash")
  }
  // Names with the same hash in an order of their own, whatever order the base lists them in.
  hashed.sort((a, b) => a.first - b.first || (nameKey(a.entry.name) < nameKey(b.entry.name) ? -1 : 1))
  const order: Array<NamedBelow> = []
  const cookies = new Map<string, number>()
  for (const { entry, first } of hashed) {
    const name = nameKey(entry.name)
    const cookie = place(name, first)
    byCookie.add(cookie)
    cookies.set(name, cookie)
    order.push({ key: name, name: entry.name, ino: entry.ino, type: entry.type, cookie })
  }
  order.sort((a, b) => a.cookie - b.cookie)
  const taken = new Set(cookies.values())
  return {
    *after(off) {
      for (let at = indexAfter(order, off); ; at++) {
        const found = order[at]
        if (found === undefined) return
        yield found
      }
    },
    cookieOf: (name) => cookies.get(nameKey(name)),
    isTaken: (cookie) => taken.has(cookie)
  }
}
