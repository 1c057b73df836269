/** What makes copies of a branch, and has it hold what a copy holds. */
import * as Effect from "effect/Effect"
import type { OpenStore } from "../sqlite/open.ts"
import { refuseWorkspace, WorkspaceError } from "./baseDirectory.ts"
import { copyCheckpoint, type Copier } from "./copies.ts"
import { forgetEvent, noteEvent } from "./events.ts"
import { branchNameOf, checkpointFile, listCheckpoints, refusedBranchName } from "./home.ts"
import { clearChanges, takeChanges } from "./rows.ts"

/** Checkpoints and forks of a branch. */
export interface BranchCopies {
  /** Keeps what the branch holds now under a name, to which it can be reset. Fails where the name is taken, or can be none. */
  readonly checkpoint: (name: string) => Effect.Effect<void, WorkspaceError>
  /** The names of its checkpoints. */
  readonly checkpoints: Effect.Effect<ReadonlyArray<string>>
  /** Has the branch hold what it held at a checkpoint; without a name nothing, so that it shows the base. */
  readonly reset: (checkpoint?: string) => Effect.Effect<void, WorkspaceError>
  /**
   * Makes another branch, whose store is at `store`, that holds what this one holds, or held at a checkpoint. Both go their own
   * ways from then on. Fails where the store is there.
   */
  readonly fork: (store: string, checkpoint?: string) => Effect.Effect<void, WorkspaceError>
}

const isThere = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST"

/** What an error means that stopped the copying of a branch, or `what` was made of one. */
export const copyFailure =
  (path: string, what = path) =>
  (error: unknown): WorkspaceError => {
    const why = isThere(error) ? "is there already" : error instanceof Error ? error.message : String(error)
    return new WorkspaceError({ path, message: `${what}: ${why}` })
  }

/** The file of a checkpoint of the branch whose store is at a path; fails where it is not there. */
export const findCheckpoint = (store: string, name: string): Effect.Effect<string, WorkspaceError> =>
  listCheckpoints(store).includes(name)
    ? Effect.succeed(checkpointFile(store, name))
    : refuseWorkspace(store, `has no checkpoint ${name}`)

/** Copies of an open branch. */
export const branchCopies = (opened: OpenStore, copier: Copier): BranchCopies => {
  const { db, path } = opened

  /** Makes a copy. Its event is noted first, so that the copy has it, too. */
  const make = (
    kind: "checkpoint" | "fork",
    name: string,
    target: string,
    copy: () => Promise<void>
  ): Effect.Effect<void, WorkspaceError> =>
    Effect.gen(function* () {
      const event = noteEvent(db, kind, name, "")
      yield* Effect.tryPromise({
        try: copy,
        catch: (error) => {
          forgetEvent(db, event)
          return copyFailure(target, `${kind} ${name}`)(error)
        }
      })
      opened.log.sync()
    })

  const toBase = (): void => {
    db.exec("BEGIN IMMEDIATE")
    clearChanges(db)
    noteEvent(db, "reset", "", "to the base")
    db.exec("COMMIT")
  }

  return {
    checkpoints: Effect.sync(() => listCheckpoints(path)),
    checkpoint: (name) => {
      const refused = refusedBranchName(name, "checkpoint")
      if (refused !== undefined) return refuseWorkspace(path, refused)
      const target = checkpointFile(path, name)
      return make("checkpoint", name, target, () => copier.copy(opened, target))
    },
    reset: (name) =>
      Effect.gen(function* () {
        if (name === undefined) toBase()
        else takeChanges(db, yield* findCheckpoint(path, name), () => noteEvent(db, "reset", name, "to a checkpoint"))
        opened.log.sync()
      }),
    fork: (store, name) =>
      Effect.gen(function* () {
        const from = name === undefined ? undefined : yield* findCheckpoint(path, name)
        yield* make("fork", branchNameOf(store), store, () =>
          from === undefined ? copier.copy(opened, store) : copyCheckpoint(from, store)
        )
      })
  }
}
