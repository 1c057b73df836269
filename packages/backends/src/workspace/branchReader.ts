/** What can be learnt of a branch from its rows and its base. */
import * as Effect from "effect/Effect"
import { type AuditFilter, type AuditRecord, readAudit } from "./auditRecord.ts"
import type { BranchView } from "./branchView.ts"
import { type Change, findChanges, shownChange } from "./diff.ts"
import { type BranchEvent, readEvents } from "./events.ts"
import { filePatches, type FileStat, fileStats } from "./patch.ts"

/** What can be learnt of a branch. `E` is what stands in the way of a look at it. */
export interface BranchReader<E = never> {
  /** What was changed, by path. */
  readonly diff: Effect.Effect<ReadonlyArray<Change>, E>
  /**
   * What was changed as a patch in git's form: regular files, symlinks, and whether a file can be executed. Each name of a
   * file is told of by itself. Where a file with several names was changed, the whole base is looked through for them.
   */
  readonly patch: Effect.Effect<Uint8Array, E>
  /** How many lines of each file were changed, of those that a patch tells of. */
  readonly stat: Effect.Effect<ReadonlyArray<FileStat>, E>
  /** What became of the branch, the latest first. */
  readonly log: Effect.Effect<ReadonlyArray<BranchEvent>, E>
  /** Who changed what, the earliest first. A commit and a reset leave it as it is; a fork has that of its origin, too. */
  readonly audit: (filter?: AuditFilter) => Effect.Effect<ReadonlyArray<AuditRecord>, E>
}

/** Loaded by what needs it: most programs do not. */
const differ = Effect.promise(() => import("diff"))

/** Reads what `view` shows. */
export const makeBranchReader = (view: BranchView): BranchReader => ({
  diff: Effect.sync(() => findChanges(view).changes.map(shownChange)),
  patch: Effect.map(differ, (module) => Buffer.concat([...filePatches(view, module)])),
  stat: Effect.map(differ, (module) => [...fileStats(view, module)]),
  log: Effect.sync(() => readEvents(view.db)),
  audit: (filter) => Effect.sync(() => readAudit(view.db, filter))
})
