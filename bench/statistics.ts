/** What several rounds come to. */

export interface Summary {
  readonly median: number
  readonly least: number
  readonly most: number
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export const summarize = (values: ReadonlyArray<number>): Summary => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values)
})

/** The median of the rounds' own ratios: what slows the whole machine for a while slows both sides of one. */
export const ratio = (ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): number =>
  median(
    ours.flatMap((value, round) => {
      const other = theirs[round]
      return other === undefined || other === 0 ? [] : [value / other]
    })
  )
