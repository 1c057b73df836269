/** The transaction that requests share: it begins with the first change, and ends at the commit. */
import type { DatabaseSync } from "node:sqlite"

export interface Transaction {
  /** To be called before each change. */
  readonly begin: () => void
  readonly isOpen: () => boolean
  readonly commit: () => void
  readonly rollback: () => void
}

export const makeTransaction = (db: DatabaseSync): Transaction => {
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  let open = false
  return {
    begin: () => {
      if (open) return
      begin.run()
      open = true
    },
    isOpen: () => open,
    commit: () => {
      commit.run()
      open = false
    },
    rollback: () => {
      open = false
      // Some errors, such as a full disk's, have rolled it back already.
      if (db.isTransaction) db.exec("ROLLBACK")
    }
  }
}
