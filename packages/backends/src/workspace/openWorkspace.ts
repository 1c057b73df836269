/** A directory and all of its branches, by their names. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqliteStoreError } from "../sqlite/errors.ts"
import { realPath, refuseWorkspace, WorkspaceError } from "./baseDirectory.ts"
import { type Branch, openBranch } from "./branch.ts"
import {
  type BranchFile,
  branchFile,
  deleteBranch,
  listBranches,
  makeHome,
  refusedBranchName,
  workspaceHome
} from "./home.ts"
import type { WorkspaceOptions } from "./options.ts"
import { type BranchToRead, openBranchToRead } from "./servedBranch.ts"
import { workspace, type WorkspaceBackend } from "./workspace.ts"

type Opened<A> = Effect.Effect<A, WorkspaceError | SqliteStoreError, Scope.Scope>

/** A directory whose branches can be opened, served, forked and deleted. Nothing of it is held between two calls. */
export interface Workspace {
  /** The base directory's path, without links. */
  readonly base: string
  /** The directory that keeps the branches. */
  readonly store: string
  readonly branches: Effect.Effect<ReadonlyArray<BranchFile>>
  /** Opens a branch that nobody serves, for as long as the scope lasts. It is made where it is not there. */
  readonly branch: (name: string) => Opened<Branch>
  /** Opens a branch to look at it, to checkpoint and to fork it: also one that another process serves. It is made where it is not there. */
  readonly branchToRead: (name: string) => Opened<BranchToRead>
  /** Serves a branch, to be mounted, for as long as the scope lasts. It is made where it is not there. */
  readonly serve: (name: string, options?: Omit<WorkspaceOptions, "store">) => Opened<WorkspaceBackend>
  /** Makes a branch that holds what `from` holds, or held at a checkpoint. Fails where it is there already. */
  readonly fork: (
    from: string,
    name: string,
    checkpoint?: string
  ) => Effect.Effect<void, WorkspaceError | SqliteStoreError>
  /** Throws a branch away, with its checkpoints. Fails where it is served, or is not there. */
  readonly delete: (name: string) => Effect.Effect<void, WorkspaceError | SqliteStoreError>
}

/**
 * Opens the workspace of `directory`. Its branches are kept in the directory `store`, by default one in the user's data
 * directory, as of the command `bickford`.
 */
export const openWorkspace = (
  directory: string,
  options: { readonly store?: string } = {}
): Effect.Effect<Workspace, WorkspaceError> =>
  Effect.gen(function* () {
    const base = realPath(directory)
    const store = options.store ?? workspaceHome(base)
    yield* Effect.try({
      try: () => makeHome(store),
      catch: (error) =>
        new WorkspaceError({
          path: store,
          message: `${store}: ${error instanceof Error ? error.message : String(error)}`
        })
    })
    const fileOf = (name: string): Effect.Effect<string, WorkspaceError> => {
      const refused = refusedBranchName(name)
      return refused === undefined ? Effect.succeed(branchFile(store, name)) : refuseWorkspace(base, refused)
    }
    const branch = (name: string): Opened<Branch> =>
      Effect.flatMap(fileOf(name), (file) => openBranch(base, file, { create: true }))
    const branchToRead = (name: string): Opened<BranchToRead> =>
      Effect.flatMap(fileOf(name), (file) => openBranchToRead(base, file, { create: true }))
    return {
      base,
      store,
      branches: Effect.sync(() => listBranches(store)),
      branch,
      branchToRead,
      serve: (name, served = {}) => Effect.flatMap(fileOf(name), (file) => workspace(base, { ...served, store: file })),
      fork: (from, name, checkpoint) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fileOf(name)
            const origin = yield* branchToRead(from)
            yield* origin.fork(file, checkpoint)
          })
        ),
      delete: (name) =>
        Effect.gen(function* () {
          const file = yield* fileOf(name)
          // Whoever serves it has its lock.
          yield* Effect.scoped(openBranch(base, file))
          yield* Effect.sync(() => deleteBranch(file))
        })
    }
  })
