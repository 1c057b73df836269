/** What calls are about, added up as they come: by path, by directory, by program. */

/** A record of the calls' stream, as the daemon sends it. */
interface Fields {
  readonly [field: string]: unknown
}

/** Of the calls of one path, directory or program. */
export interface Sum {
  calls: number
  /** Of file data that was read or written. */
  bytes: number
  microseconds: number
}

/** What a sum may be of. */
export const kinds = ["path", "directory", "program"] as const
export type Kind = (typeof kinds)[number]

/** Sums that are kept of each kind; with more of them the half with the fewest calls is forgotten. */
const keptMost = 2000

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null

const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0)

/** The directory that a path is in; a call about the root is the root's. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/"

const bytesOf = ({ arguments: given, bytes, opcode }: Fields): number => {
  if (opcode === "READ") return numberOf(bytes)
  return opcode === "WRITE" && isFields(given) ? numberOf(given["size"]) : 0
}

const add = (sums: Map<string, Sum>, key: string, bytes: number, microseconds: number): void => {
  const sum = sums.get(key)
  if (sum !== undefined) {
    sum.calls++
    sum.bytes += bytes
    sum.microseconds += microseconds
    return
  }
  if (sums.size >= keptMost) {
    const most = Array.from(sums).sort(([, a], [, b]) => b.calls - a.calls)
    sums.clear()
    for (const [kept, one] of most.slice(0, keptMost / 2)) sums.set(kept, one)
  }
  sums.set(key, { calls: 1, bytes, microseconds })
}

export class Tally {
  /** Calls that were looked at, and that were not. */
  looked = 0
  missed = 0
  readonly #sums: { readonly [kind in Kind]: Map<string, Sum> } = {
    path: new Map(),
    directory: new Map(),
    program: new Map()
  }

  /** Takes a line of the stream; what is no record is passed over. */
  take(line: string): void {
    let record: unknown
    try {
      record = JSON.parse(line)
    } catch {
      return
    }
    if (!isFields(record)) return
    const { microseconds, missed, opcode, path, pid, program } = record
    if (typeof missed === "number") {
      this.missed += missed
      return
    }
    if (typeof opcode !== "string") return
    this.looked++
    const [bytes, time] = [bytesOf(record), numberOf(microseconds)]
    if (typeof path === "string") {
      add(this.#sums.path, path, bytes, time)
      add(this.#sums.directory, directoryOf(path), bytes, time)
    }
    const caller = typeof program === "string" ? program : `process ${String(pid)}`
    add(this.#sums.program, pid === 0 ? "the kernel" : caller, bytes, time)
  }

  /** The largest sums of a kind, the largest first. */
  top(kind: Kind, by: keyof Sum, most: number): ReadonlyArray<readonly [name: string, sum: Readonly<Sum>]> {
    return Array.from(this.#sums[kind])
      .sort(([, a], [, b]) => b[by] - a[by] || b.calls - a.calls)
      .slice(0, most)
  }
}
