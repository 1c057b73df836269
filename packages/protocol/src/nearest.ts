/** Words that were meant: what an error about an unknown name can suggest. */

/** Levenshtein's distance: how many characters to insert, remove or replace. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The known word that `word` was most likely meant to be; undefined when none is within `most` characters of it. */
export const nearest = (
  word: string,
  known: ReadonlyArray<string>,
  most = Number.POSITIVE_INFINITY
): string | undefined => {
  let best: string | undefined
  let least = most + 1
  for (const candidate of known) {
    const d = distance(word, candidate)
    if (d < least) {
      least = d
      best = candidate
    }
  }
  return best
}

const lettersOf = (word: string): string => [...word.toLowerCase()].sort().join("")

/**
 * The known word that `word` is a slip away from: two characters that changed places, capitals, or in a word of five or more
 * one character too many, too few or wrong. Undefined for a word of its own.
 */
export const slipOf = (word: string, known: ReadonlyArray<string>): string | undefined =>
  nearest(
    word,
    known.filter((one) => lettersOf(one) === lettersOf(word))
  ) ?? (word.length < 5 ? undefined : nearest(word, known, 1))
