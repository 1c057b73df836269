/** Removes the content of large files that are gone, a piece at a time, between the requests. */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

/** Chunks that are removed in one go: 4 MiB. */
const piece = 64

export const makeCollector = (db: DatabaseSync, transaction: Transaction) => {
  const next = prepareQuery<[data: number]>(db, "SELECT data FROM dead LIMIT 1")
  const remove = db.prepare(`DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE data = ? LIMIT ${piece})`)
  const bury = db.prepare("DELETE FROM dead WHERE data = ?")
  let scheduled: NodeJS.Immediate | undefined
  let stopped = false
  /** There may be something to remove. */
  let pending = true

  const step = (): void => {
    scheduled = undefined
    // What requests have begun they commit themselves; their commit calls back.
    if (stopped || transaction.isOpen()) return
    try {
      const data = next.get()?.[0]
      if (data === undefined) {
        pending = false
        return
      }
      transaction.begin()
      if (Number(remove.run(data).changes) < piece) bury.run(data)
      transaction.commit()
    } catch {
      // Such as a full disk. It is tried again when something else was committed.
      transaction.rollback()
      return
    }
    schedule()
  }
  const schedule = (): void => {
    if (!stopped) scheduled ??= setImmediate(step)
  }
  return {
    /** Something was buried. */
    added: (): void => {
      pending = true
    },
    /** No transaction is open: what is pending goes on. */
    resume: (): void => {
      if (pending) schedule()
    },
    stop: (): void => {
      stopped = true
      clearImmediate(scheduled)
    }
  }
}
