/** Users and groups, as the mount shows them and as the directory has them. */
import type { IdRange } from "./options.ts"

/** Who is nobody: overflowuid of the kernel. */
const nobody = 65534

export interface IdMap {
  /** Every id is the same on both sides. */
  readonly same: boolean
  /** An id of the directory's, as the mount shows it. */
  readonly toInside: (outside: number) => number
  /** An id of the mount's, as the directory has it; undefined when it has none. */
  readonly toOutside: (inside: number) => number | undefined
}

const same: IdMap = { same: true, toInside: (id) => id, toOutside: (id) => id }

/** Throws a RangeError for ranges that are none. */
export const makeIdMap = (ranges: ReadonlyArray<IdRange> | undefined): IdMap => {
  if (ranges === undefined) return same
  for (const { count, inside, outside } of ranges) {
    for (const number of [inside, outside, inside + count - 1, outside + count - 1]) {
      if (!Number.isInteger(number) || number < 0 || number > 0xfffffffe) {
        throw new RangeError(`a range of ids: ${count} from ${outside} on, shown from ${inside} on`)
      }
    }
  }
  return {
    same: false,
    toInside: (id) => {
      const range = ranges.find(({ count, outside }) => id >= outside && id < outside + count)
      return range === undefined ? nobody : id - range.outside + range.inside
    },
    toOutside: (id) => {
      const range = ranges.find(({ count, inside }) => id >= inside && id < inside + count)
      return range === undefined ? undefined : id - range.inside + range.outside
    }
  }
}
