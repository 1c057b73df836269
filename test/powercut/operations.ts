/** What the clients of the power-cut test do, each in a directory of its own, and what is in the directory after each operation. */
import { seededRandom } from "../../packages/backends/src/combinators/seededRandom.ts"

/** The names in a directory, and what the files hold; undefined before the directory is made. */
export type DirectoryState = ReadonlyMap<string, string> | undefined

export interface ClientOperation {
  readonly kind: "mkdir" | "create" | "append" | "rename" | "unlink" | "fsync"
  readonly name: string
  /** The new name, or what is appended. */
  readonly text: string
  /** The directory after it. */
  readonly after: DirectoryState
}

const names = ["a", "b", "c", "d", "e", "f"]

/** The same operations for the same seed. */
export const operationsOf = (seed: number, count: number): ReadonlyArray<ClientOperation> => {
  const random = seededRandom(seed)
  const pick = <A>(items: ReadonlyArray<A>): A | undefined => items[Math.floor(random() * items.length)]
  const state = new Map<string, string>()
  const operations: Array<ClientOperation> = [{ kind: "mkdir", name: "", text: "", after: new Map() }]
  const push = (kind: ClientOperation["kind"], name: string, text = ""): void => {
    operations.push({ kind, name, text, after: new Map(state) })
  }
  while (operations.length < count) {
    const there = pick([...state.keys()])
    const missing = pick(names.filter((name) => !state.has(name)))
    const kind = pick(["create", "append", "append", "rename", "unlink", "fsync", "fsync"] as const)
    if (kind === "create" && missing !== undefined) {
      state.set(missing, "")
      push(kind, missing)
    } else if (kind === "append" && there !== undefined) {
      const text = String.fromCharCode(97 + Math.floor(random() * 26)).repeat(1 + Math.floor(random() ** 4 * 100_000))
      state.set(there, (state.get(there) ?? "") + text)
      push(kind, there, text)
    } else if (kind === "rename" && there !== undefined) {
      // On a name that is there, too.
      const to = pick(names) ?? "a"
      const content = state.get(there) ?? ""
      state.delete(there)
      state.set(to, content)
      push(kind, there, to)
    } else if (kind === "unlink" && there !== undefined) {
      state.delete(there)
      push(kind, there)
    } else if (kind === "fsync" && there !== undefined) push(kind, there)
  }
  return operations
}
