/** A branch that another process may serve: looked at as it was at its last commit, checkpointed and forked meanwhile. */
import { files, mountTable } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { SqliteStoreError } from "../sqlite/errors.ts"
import { openBaseDirectory, realPath, refuseWorkspace, WorkspaceError } from "./baseDirectory.ts"
import { openBranch } from "./branch.ts"
import { type BranchCopies, copyFailure, findCheckpoint } from "./branchCopies.ts"
import { type BranchReader, makeBranchReader } from "./branchReader.ts"
import { makeBranchView } from "./branchView.ts"
import { copyCheckpoint } from "./copies.ts"
import { noteEvent } from "./events.ts"
import { branchNameOf, checkpointFile, listCheckpoints, refusedBranchName } from "./home.ts"
import { prepareBranch } from "./schema.ts"
import { copyServed, type ServedCopy } from "./servedCopy.ts"

/**
 * A branch to look at, which may be mounted. While it is, it is seen as it was at the last commit before the first look: all
 * that a call had returned by then is there. Its log does not tell of checkpoints and forks that are made meanwhile; those
 * of the copies do.
 */
export interface BranchToRead
  extends BranchReader<WorkspaceError>, Pick<BranchCopies, "checkpoint" | "checkpoints" | "fork"> {
  /** The base directory. */
  readonly base: string
}

/** Why the base cannot be looked at, if so: a mount lies over it, which shows what a branch holds. */
const coveredBase = (base: string): string | undefined =>
  mountTable().some(({ mountpoint, type }) => mountpoint === base && type.startsWith("fuse"))
    ? "is covered by a mount, which lies between it and the branch; unmount that first"
    : undefined

const served = Effect.fnUntraced(function* (base: string, store: string) {
  const copyFor = (target: string): Effect.Effect<ServedCopy, WorkspaceError> =>
    Effect.gen(function* () {
      const copy = yield* Effect.tryPromise({ try: () => copyServed(store, target), catch: copyFailure(store) })
      const wrong = prepareBranch(copy.db, base)
      if (wrong === undefined) return copy
      copy.discard()
      return yield* refuseWorkspace(store, wrong)
    })

  const scope = yield* Effect.scope
  const reader = yield* Effect.gen(function* () {
    const { attributes, fd } = yield* Effect.acquireRelease(openBaseDirectory(base), (opened) =>
      Effect.sync(() => files.fs_close(opened.fd))
    )
    const copy = yield* Effect.acquireRelease(copyFor(store), ({ discard }) => Effect.sync(discard))
    return makeBranchReader(makeBranchView(copy.db, fd, attributes))
  }).pipe(Scope.provide(scope), Effect.cached)
  const look = <A>(use: (reader: BranchReader) => Effect.Effect<A>): Effect.Effect<A, WorkspaceError> =>
    Effect.flatMap(reader, use)
  const compare = <A>(use: (reader: BranchReader) => Effect.Effect<A>): Effect.Effect<A, WorkspaceError> =>
    Effect.suspend(() => {
      const why = coveredBase(base)
      return why === undefined ? look(use) : refuseWorkspace(base, why)
    })

  const keep = (kind: "checkpoint" | "fork", name: string, target: string): Effect.Effect<void, WorkspaceError> =>
    Effect.flatMap(copyFor(target), ({ db, keepAs }) =>
      Effect.try({
        try: () => {
          noteEvent(db, kind, name, "")
          keepAs(target)
        },
        catch: copyFailure(target, `${kind} ${name}`)
      })
    )

  return {
    base,
    diff: compare(({ diff }) => diff),
    patch: compare(({ patch }) => patch),
    stat: compare(({ stat }) => stat),
    log: look(({ log }) => log),
    audit: (filter) => look(({ audit }) => audit(filter)),
    checkpoints: Effect.sync(() => listCheckpoints(store)),
    checkpoint: (name) => {
      const refused = refusedBranchName(name, "checkpoint")
      return refused === undefined
        ? keep("checkpoint", name, checkpointFile(store, name))
        : refuseWorkspace(store, refused)
    },
    fork: (target, checkpoint) =>
      checkpoint === undefined
        ? keep("fork", branchNameOf(target), target)
        : Effect.flatMap(findCheckpoint(store, checkpoint), (from) =>
            Effect.tryPromise({
              try: () => copyCheckpoint(from, target),
              catch: copyFailure(target, `fork ${branchNameOf(target)}`)
            })
          )
  } satisfies BranchToRead
})

/**
 * Opens the branch of `directory` that the store at `store` keeps to look at it, to checkpoint and to fork it, for as long as the
 * scope lasts. Another process may serve it, and goes on; one that this process serves is in use. Fails when it is
 * not there, unless it is to be created.
 */
export const openBranchToRead = (
  directory: string,
  store: string,
  options: { readonly create?: boolean } = {}
): Effect.Effect<BranchToRead, WorkspaceError | SqliteStoreError, Scope.Scope> =>
  openBranch(directory, store, options).pipe(
    Effect.catchTag("StoreBusyError", (busy) =>
      busy.pid === process.pid ? Effect.fail(busy) : served(realPath(directory), store)
    )
  )
