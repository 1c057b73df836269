/** What became of a branch: commits, checkpoints, resets. */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"

/** One thing that was done with a branch. */
export interface BranchEvent {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly kind: "commit" | "checkpoint" | "reset"
  /** The name of a checkpoint; else empty. */
  readonly name: string
  readonly detail: string
}

export const noteEvent = (db: DatabaseSync, kind: BranchEvent["kind"], name: string, detail: string): void => {
  db.prepare("INSERT INTO event (time, kind, name, detail) VALUES (?, ?, ?, ?)").run(Date.now(), kind, name, detail)
}

/** The events of a branch, the latest first. */
export const readEvents = (db: DatabaseSync): ReadonlyArray<BranchEvent> =>
  prepareQuery<[number, number, BranchEvent["kind"], string, string]>(
    db,
    "SELECT id, time, kind, name, detail FROM event ORDER BY id DESC"
  )
    .all()
    .map(([id, time, kind, name, detail]) => ({ id, time, kind, name, detail }))
