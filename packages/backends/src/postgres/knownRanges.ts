/** Disjoint ranges of chunks of one file of which it is known whether they are stored. Both ends are included. */
interface Range {
  readonly first: number
  readonly last: number
}

export class KnownRanges {
  #ranges: Array<Range> = []

  /** Adds a range, and joins it with those that it touches. */
  add(first: number, last: number): void {
    let from = first
    let to = last
    const others: Array<Range> = []
    for (const range of this.#ranges) {
      if (range.last + 1 < from || range.first > to + 1) others.push(range)
      else {
        from = Math.min(from, range.first)
        to = Math.max(to, range.last)
      }
    }
    others.push({ first: from, last: to })
    this.#ranges = others
  }

  /** The end of the range that a chunk lies in; undefined when nothing is known of the chunk. */
  lastOf(position: number): number | undefined {
    for (const { first, last } of this.#ranges) if (first <= position && position <= last) return last
    return undefined
  }

  clear(): void {
    this.#ranges = []
  }
}
