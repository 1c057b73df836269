/**
 * A directory that is read only from here on, and the changes that are made to it, which go to a store. What was not changed
 * is the base's, read where it lies. A change of a file stores the chunks that it touches; a name that is removed, a row that
 * says so; a directory that is renamed, where it comes from.
 *
 * An inode keeps its number when it is changed first: that of the base, where it can. The posix rules, exactly-once and the
 * store's safety are those of `sqlite:`; this adds what lies below.
 */
import type { Negotiated, Statfs } from "@bickford/protocol"
import type { BackendConnection } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { timespec } from "../posix/clock.ts"
import { nameMax } from "../posix/linux.ts"
import { blockSize } from "../posix/usage.ts"
import type { SqliteStoreError } from "../sqlite/errors.ts"
import { makeFilesystem } from "../sqlite/filesystem.ts"
import { makeRunner } from "../sqlite/once.ts"
import { openStore } from "../sqlite/open.ts"
import { rootId } from "../sqlite/storedNodes.ts"
import { serveStore, type SqliteBackend } from "../sqlite/sqlite.ts"
import { type Audit, makeAudit } from "./audit.ts"
import type { Base } from "./base.ts"
import { makeBaseFiles } from "./baseFiles.ts"
import { openBaseDirectory, realPath, refusedTogether, refuseWorkspace, type WorkspaceError } from "./baseDirectory.ts"
import { BaseNode } from "./baseNode.ts"
import { makeBranchView } from "./branchView.ts"
import { finishCommit } from "./commit.ts"
import { nodeJournalFile } from "./home.ts"
import { openNodeJournal } from "./nodeJournal.ts"
import { makeNodePaths } from "./nodePaths.ts"
import type { WorkspaceOptions } from "./options.ts"
import { branchStore, prepareBranch } from "./schema.ts"
import { overlay } from "./underlay.ts"

/** A branch of a directory, served. */
export interface WorkspaceBackend extends SqliteBackend {
  /** The base directory. */
  readonly base: string
}

/** The files of the base, for the life of the scope. */
const openBase = Effect.fnUntraced(function* (directory: string) {
  const { attributes, fd, identity } = yield* openBaseDirectory(directory)
  const root = new BaseNode(rootId, identity, undefined, "")
  const files = makeBaseFiles(root, fd, attributes)
  yield* Effect.addFinalizer(() => Effect.sync(files.close))
  return { attributes, fd, files, root }
})

/** Both filesystems in one answer: as large as the base's, with as much room as the store has. */
const makeStatfs = (
  statvfs: (into: Float64Array) => number,
  own: () => { readonly blocks: number; readonly files: number }
) => {
  const words = new Float64Array(8)
  return (): Statfs => {
    const status = statvfs(words)
    const [blocks = 0, , , files = 0, , , , frsize = 1] = status < 0 ? [] : words
    const free = own()
    const ofBase = Math.ceil((blocks * frsize) / blockSize)
    return {
      blocks: Math.max(ofBase, free.blocks),
      bfree: free.blocks,
      bavail: free.blocks,
      files: Math.max(files, free.files),
      ffree: free.files,
      bsize: blockSize,
      namelen: nameMax,
      frsize: blockSize
    }
  }
}

/**
 * Serves `directory` as it is, with changes that go to the store at `options.store`, for as long as the scope lasts. Mount it
 * with `default_permissions`; it may be mounted over the directory itself. Other programs may change the directory
 * meanwhile: what was not changed here follows, and what was changed here in part cannot be read any more (ESTALE).
 */
export const workspace = (
  directory: string,
  options: WorkspaceOptions
): Effect.Effect<WorkspaceBackend, WorkspaceError | SqliteStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const path = realPath(directory)
    const why = refusedTogether(path, options.store)
    if (why !== undefined) return yield* refuseWorkspace(path, why)
    const { attributes, fd, files, root } = yield* openBase(path)
    const opened = yield* openStore(options.store, branchStore)
    const wrong = prepareBranch(opened.db, path)
    if (wrong !== undefined) return yield* refuseWorkspace(options.store, wrong)
    finishCommit(makeBranchView(opened.db, fd, attributes))
    const journal = openNodeJournal(nodeJournalFile(opened.path))
    yield* Effect.addFinalizer(() => Effect.sync(journal.close))
    let base: Base | undefined
    let audit: Audit | undefined
    let connection: BackendConnection | undefined
    const store = makeFilesystem(
      opened,
      options,
      overlay({
        root,
        files,
        attributes,
        journal,
        entryValid: timespec(options.entryTimeout ?? 1),
        attrValid: timespec(options.attrTimeout ?? 1),
        changed: (ino) => {
          if (connection !== undefined) Effect.runFork(Effect.ignore(connection.notify.invalInode(ino, 0)))
        },
        made: (made) => {
          base = made.base
          if (options.audit === false) return
          audit = makeAudit(opened.db, made.transaction, makeNodePaths(opened.db, made.entries, made.base))
        },
        rolledBack: () => audit?.rolledBack()
      })
    )
    const runner = makeRunner(store)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        runner.close()
        store.close()
        audit?.close()
      })
    )
    const serve = (id: string): boolean => {
      const served = store.serve(id)
      if (!served) journal.begin()
      return served
    }
    const parentOf = (ino: number): number | undefined => store.parentOf(ino) ?? base?.nodeOf(ino)?.parent?.ino
    const backend = serveStore({ ...store, parentOf, serve }, runner, options, audit?.watch)
    const { commit, destroy, forget, init } = backend
    const statfs = makeStatfs(files.statvfs, () => {
      const { blocks, inodes } = store.limits()
      const used = store.used()
      return { blocks: Math.max(0, blocks - used.blocks), files: inodes - used.inodes }
    })
    return {
      ...backend,
      base: path,
      init: (negotiated: Negotiated, served: BackendConnection) => {
        connection = served
        return init?.(negotiated, served) ?? Effect.void
      },
      commit: Effect.suspend(() => {
        journal.flush()
        files.turn()
        return commit ?? Exit.void
      }),
      forget: (nodeid, nlookup, left) => {
        forget?.(nodeid, nlookup, left)
        if (left <= 0 && typeof nodeid === "number") base?.forget(nodeid)
      },
      destroy: () => {
        journal.end()
        return destroy?.() ?? Effect.void
      },
      ...(options.capacity === undefined ? { statfs: () => Exit.succeed(statfs()) } : {})
    }
  })
