/** What became of a branch: commits, checkpoints, resets, forks. */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"

/** One thing that was done with a branch. */
export interface BranchEvent {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly kind: "commit" | "checkpoint" | "reset" | "fork"
  /** The name of the checkpoint, or of the branch that was made; else empty. A fork has the events of its origin, too. */
  readonly name: string
  readonly detail: string
}

/** Notes an event. Returns its id. */
export const noteEvent = (db: DatabaseSync, kind: BranchEvent["kind"], name: string, detail: string): number => {
  const insert = db.prepare("INSERT INTO event (time, kind, name, detail) VALUES (?, ?, ?, ?)")
  return Number(insert.run(Date.now(), kind, name, detail).lastInsertRowid)
}

/** Takes an event back that did not come to pass. */
export const forgetEvent = (db: DatabaseSync, id: number): void => {
  db.prepare("DELETE FROM event WHERE id = ?").run(id)
}

/** The events of a branch, the latest first. */
export const readEvents = (db: DatabaseSync): ReadonlyArray<BranchEvent> =>
  prepareQuery<[number, number, BranchEvent["kind"], string, string]>(
    db,
    "SELECT id, time, kind, name, detail FROM event ORDER BY id DESC"
  )
    .all()
    .map(([id, time, kind, name, detail]) => ({ id, time, kind, name, detail }))
