/**
 * Exactly once: what requests that changed the store were answered is kept with their changes, until it
 * is known that the kernel has the answer. One that is delivered again finds it here.
 */
import type { U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"

/**
 * So many requests that were not delivered before prove that all that were have been seen: the kernel
 * queues those first, and fewer than this can have been read before it was told to.
 */
const proof = 64

const parse = (text: string): Array<[U64, U64]> => {
  const pairs: Array<[U64, U64]> = []
  for (const pair of text.split(",")) {
    const [unique, value] = pair.split(":")
    if (unique !== undefined && value !== undefined) pairs.push([normal(BigInt(unique)), normal(BigInt(value))])
  }
  return pairs
}

export interface Replies {
  /** Takes over what earlier servers of this connection recorded. */
  readonly adopt: (texts: ReadonlyArray<string>) => void
  /** Records an answer, in short: a node id, a number of bytes, or 0. */
  readonly record: (unique: U64, value: U64) => void
  /** The answer that a request was given, if it has been served before. It is recorded anew. */
  readonly find: (unique: U64) => U64 | undefined
  /** A request was read that no earlier server was given. True when what was adopted can go. */
  readonly fresh: () => boolean
  readonly delivered: (uniques: ReadonlyArray<U64>) => void
  /** All records of this server, to be stored; undefined when the store has them. */
  readonly text: () => string | undefined
  /** Whether a node is named by an answer that the kernel may not have been given. */
  readonly names: (ino: number) => boolean
  readonly committed: () => void
  /** What was recorded since the last commit did not happen. */
  readonly rolledBack: () => void
}

export const makeReplies = (): Replies => {
  let records = new Map<U64, U64>()
  const adopted = new Map<U64, U64>()
  const uncommitted: Array<U64> = []
  let freshLeft = proof
  /** The store's record is not what is here. */
  let changed = false
  return {
    adopt: (texts) => {
      for (const text of texts) for (const [unique, value] of parse(text)) adopted.set(unique, value)
    },
    record: (unique, value) => {
      records.set(unique, value)
      uncommitted.push(unique)
      changed = true
    },
    find: (unique) => {
      const value = adopted.get(unique)
      if (value === undefined) return records.get(unique)
      records.set(unique, value)
      changed = true
      return value
    },
    fresh: () => {
      if (adopted.size === 0 || --freshLeft > 0) return false
      adopted.clear()
      return true
    },
    delivered: (uniques) => {
      for (const unique of uniques) records.delete(unique)
      // A new one refers to no table of before; see InFlightTable of @bickford/session.
      if (records.size === 0) records = new Map()
    },
    text: () => {
      if (!changed) return undefined
      let text = ""
      for (const [unique, value] of records) text += `${text === "" ? "" : ","}${unique}:${value}`
      return text
    },
    names: (ino) => {
      for (const value of adopted.values()) if (value === ino) return true
      return false
    },
    committed: () => {
      uncommitted.length = 0
      changed = false
    },
    rolledBack: () => {
      for (const unique of uncommitted) records.delete(unique)
      uncommitted.length = 0
      // What was found of earlier servers is still to be stored as this one's.
      changed = records.size > 0
    }
  }
}
