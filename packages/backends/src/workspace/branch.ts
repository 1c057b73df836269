/** A branch that nobody serves, opened to be looked at, committed, or set back. */
import { files } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import type { SqliteStoreError } from "../sqlite/errors.ts"
import { openStore } from "../sqlite/open.ts"
import { openBaseDirectory, realPath, refusedTogether, refuseWorkspace, type WorkspaceError } from "./baseDirectory.ts"
import { type BranchReader, makeBranchReader } from "./branchReader.ts"
import { type BranchView, makeBranchView } from "./branchView.ts"
import { commitChanges, finishCommit, type OnConflict, type Reached } from "./commit.ts"
import { type Conflict, shownConflict } from "./conflicts.ts"
import { type BranchCopies, branchCopies } from "./branchCopies.ts"
import { makeCopier } from "./copies.ts"
import { type Change, shownChange } from "./diff.ts"
import { branchStore, prepareBranch } from "./schema.ts"

/** What others did to the base stands in the way of a commit, which has done nothing. */
export class WorkspaceConflictError extends Data.TaggedError("WorkspaceConflictError")<{
  readonly conflicts: ReadonlyArray<Conflict>
  /** Which paths, and why. */
  readonly message: string
}> {}

/** A commit could not be brought to its end. When it was begun, it is finished as the branch is opened the next time. */
export class WorkspaceCommitError extends Data.TaggedError("WorkspaceCommitError")<{
  /** What went wrong. */
  readonly message: string
}> {}

/** How a commit is done. */
export interface CommitOptions {
  /** With `fail`, the default, a conflict stops it; `ours` takes the branch's files, `theirs` leaves the base's. */
  readonly onConflict?: OnConflict
  /** Called at each point that it reaches: for tests that stop it there. */
  readonly reached?: Reached
}

/** What a commit has done. */
export interface Committed {
  readonly applied: ReadonlyArray<Change>
  /** Conflicts that were settled by `onConflict`. */
  readonly conflicts: ReadonlyArray<Conflict>
}

/** A branch, open. One of its Effects at a time may be run. */
export interface Branch extends BranchCopies, BranchReader {
  /** The base directory. */
  readonly base: string
  /** Brings the changes into the base; then the branch holds none. */
  readonly commit: (options?: CommitOptions) => Effect.Effect<Committed, WorkspaceConflictError | WorkspaceCommitError>
  /** Gives the disk back what the store does not need any more. */
  readonly compact: Effect.Effect<void>
}

const listed = (conflicts: ReadonlyArray<Conflict>): string =>
  conflicts.map(({ path, reason }) => `${nameText(path)} (${reason})`).join(", ")

const nameText = (path: Conflict["path"]): string =>
  typeof path === "string" ? path : Buffer.from(path).toString("latin1")

const commitIn =
  (view: BranchView, sync: () => void): Branch["commit"] =>
  ({ onConflict = "fail", reached } = {}) =>
    Effect.try({
      try: () => commitChanges(view, onConflict, sync, reached),
      catch: (error) => new WorkspaceCommitError({ message: error instanceof Error ? error.message : String(error) })
    }).pipe(
      Effect.flatMap(({ applied, conflicts }) => {
        const shown = conflicts.map(shownConflict)
        if (onConflict !== "fail" || shown.length === 0)
          return Effect.succeed({ applied: applied.map(shownChange), conflicts: shown })
        return Effect.fail(
          new WorkspaceConflictError({
            conflicts: shown,
            message: `the base has changed in the same places: ${listed(shown)}`
          })
        )
      })
    )

/**
 * Opens the branch of `directory` that the store at `store` keeps, for as long as the scope lasts. Fails when it is served, and
 * when it is not there, unless it is to be created.
 */
export const openBranch = (
  directory: string,
  store: string,
  { create = false }: { readonly create?: boolean } = {}
): Effect.Effect<Branch, WorkspaceError | SqliteStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const base = realPath(directory)
    const why = refusedTogether(base, store)
    if (why !== undefined) return yield* refuseWorkspace(base, why)
    if (!create && !existsSync(store))
      return yield* refuseWorkspace(store, "is not a branch: nothing was changed on it yet")
    const { attributes, fd } = yield* Effect.acquireRelease(openBaseDirectory(base), (opened) =>
      Effect.sync(() => files.fs_close(opened.fd))
    )
    const copier = yield* Effect.acquireRelease(Effect.sync(makeCopier), ({ close }) => Effect.sync(close))
    const opened = yield* openStore(store, branchStore)
    const wrong = prepareBranch(opened.db, base)
    if (wrong !== undefined) return yield* refuseWorkspace(store, wrong)
    const { db } = opened
    const view = makeBranchView(db, fd, attributes)
    finishCommit(view)
    return {
      base,
      ...branchCopies(opened, copier),
      ...makeBranchReader(view),
      commit: commitIn(view, opened.log.sync),
      compact: Effect.sync(() => db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"))
    }
  })
