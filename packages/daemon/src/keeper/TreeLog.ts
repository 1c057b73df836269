/** The supervision tree of a mount: the keeper's supervisor with the worker, and in it the session's. */
import type { TreeEvent, TreeReport } from "../worker/treeReport.ts"

/** What the page shows of a mount's tree. Times are milliseconds since the epoch. */
export interface TreeStatus {
  readonly tree: TreeReport
  /** The latest, the oldest first. */
  readonly events: ReadonlyArray<TreeEvent>
  /** Restarts of the worker within the period, and how many it may have. */
  readonly budget: { readonly used: number; readonly most: number; readonly seconds: number }
}

/** Events that are kept. */
const kept = 100

export class TreeLog {
  #own: TreeReport | undefined
  #session: TreeReport | undefined
  #events: ReadonlyArray<TreeEvent> = []

  /** The keeper's own tree is so now. */
  own(tree: TreeReport): void {
    this.#own = tree
  }

  /** The worker's session is so now; undefined when the worker has ended. */
  session(tree: TreeReport | undefined): void {
    this.#session = tree
  }

  /** Something happened; `below` are the ids that lead to the tree in which it did. */
  happened(event: TreeEvent, below: ReadonlyArray<string> = []): void {
    this.#events = [...this.#events, { ...event, path: [...below, ...event.path] }].slice(-kept)
  }

  /** Undefined until a supervisor has started. */
  report(): Omit<TreeStatus, "budget"> | undefined {
    const own = this.#own
    const session = this.#session
    if (own === undefined) return undefined
    const children = own.children.map((worker) => (session === undefined ? worker : { ...worker, children: [session] }))
    return { tree: { ...own, children }, events: this.#events }
  }
}
