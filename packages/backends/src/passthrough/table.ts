/** Open files and directories by handle: small numbers, used again. */

export interface Table<A> {
  readonly add: (value: A) => number
  readonly get: (handle: number | bigint) => A | undefined
  readonly remove: (handle: number | bigint) => A | undefined
  readonly values: () => Iterable<A>
}

export const makeTable = <A>(): Table<A> => {
  const values: Array<A | undefined> = []
  const free: Array<number> = []
  const get = (handle: number | bigint): A | undefined => values[typeof handle === "number" ? handle : -1]
  return {
    add: (value) => {
      const handle = free.pop() ?? values.length
      values[handle] = value
      return handle
    },
    get,
    remove: (handle) => {
      const value = get(handle)
      if (value === undefined || typeof handle !== "number") return undefined
      values[handle] = undefined
      free.push(handle)
      return value
    },
    values: () => values.filter((value) => value !== undefined)
  }
}
