/** The transaction that requests share: it begins with the first change, and ends at the commit. */
import type { DatabaseSync } from "node:sqlite"
import type { WriteAheadLog } from "./log.ts"
import type { Reserve } from "./reserve.ts"

export interface Transaction {
  /** To be called before each change, with about how many pages it changes. */
  readonly begin: (pages?: number) => void
  readonly isOpen: () => boolean
  readonly commit: () => void
  readonly rollback: () => void
}

const unwatched: Pick<WriteAheadLog, "counted" | "note"> = { counted: () => {}, note: () => {} }
const unlimited: Pick<Reserve, "counted" | "cover"> = { counted: () => {}, cover: () => {} }

export const makeTransaction = (db: DatabaseSync, log = unwatched, reserve = unlimited): Transaction => {
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  let open = false
  return {
    begin: (pages = 1) => {
      log.counted(pages)
      reserve.counted(pages)
      if (open) return
      begin.run()
      open = true
    },
    isOpen: () => open,
    commit: () => {
      try {
        reserve.cover()
        commit.run()
      } catch (error) {
        log.note(error)
        throw error
      }
      open = false
    },
    rollback: () => {
      open = false
      // Some errors, such as a full disk's, have rolled it back already.
      if (db.isTransaction) db.exec("ROLLBACK")
    }
  }
}
