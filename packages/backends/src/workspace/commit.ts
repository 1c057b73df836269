/**
 * Brings what a branch has changed into its base. All of it is prepared beside the base's files; then the steps are put into
 * the branch's journal, which is the moment of the commit; then they are done. A commit that is stopped before that moment
 * has done nothing; one that is stopped after it is finished when the branch is opened the next time.
 */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { isSame } from "../passthrough/attributes.ts"
import { prepareQuery } from "../sqlite/query.ts"
import { chunkSize } from "../sqlite/schema.ts"
import { isSameVersion } from "./baseNode.ts"
import { type BranchPath, joinPath, pathFromBytes, shownPath } from "./branchPath.ts"
import { absolute, type BranchView } from "./branchView.ts"
import type { ChangedTree } from "./changedTree.ts"
import { attributesOf, planCommit, type Staged } from "./commitPlan.ts"
import { doStep, removeTree, setAttributes, type Step } from "./commitSteps.ts"
import { findConflicts, type FoundConflict } from "./conflicts.ts"
import { findChanges, type FoundChange } from "./diff.ts"
import { noteEvent } from "./events.ts"
import { isRegularMode, isSymlinkMode } from "./fileTypes.ts"
import { clearChanges } from "./rows.ts"
import { takesFromBase, withContent } from "./storedContent.ts"

/** What a commit does with conflicts: nothing at all; the branch's file counts; the base's file counts. */
export type OnConflict = "fail" | "ours" | "theirs"

/** What a commit has done. */
export interface CommitResult {
  /** Changes that are in the base now. */
  readonly applied: ReadonlyArray<FoundChange>
  /** With `fail`, why nothing was done; else what was settled. */
  readonly conflicts: ReadonlyArray<FoundConflict>
}

/** Called when a point of the commit is reached, for tests that stop it there. */
export type Reached = (point: string) => void

const prefix = ".bickford-commit-"

const mknod = (view: BranchView, { inode, path }: Staged): void => {
  const place = absolute(view, path)
  if (isSymlinkMode(inode.mode)) fs.symlinkSync(Buffer.from(inode.target ?? []), place)
  else view.makeNode(path, inode.mode, inode.rdev)
}

/** Throws where a file's other half lies in a base file that is no longer as it was: both together were never anybody's. */
const refuseMixture = (view: BranchView, tree: ChangedTree, { inode }: Staged): void => {
  const origin = tree.origins.get(inode.ino)
  if (origin === undefined || !takesFromBase(view, origin, inode)) return
  const place = pathFromBytes(origin.path)
  const base = view.stat(place)
  if (base !== undefined && isSame(base.identity, origin.identity) && isSameVersion(base.version, origin.version))
    return
  throw new Error(
    `${shownPath(place)} is changed here in part, and the base's has changed as well: a commit would mix both ` +
      "(--on-conflict theirs leaves the base's)"
  )
}

const writeContent = (view: BranchView, tree: ChangedTree, staged: Staged): void => {
  const { inode, path } = staged
  const fd = fs.openSync(absolute(view, path), "wx", 0o600)
  try {
    withContent(view, tree, inode, ({ chunk, size }) => {
      for (let position = 0; position * chunkSize < size; position++) {
        const bytes = chunk(position)
        if (bytes === undefined) continue
        for (let done = 0; done < bytes.length;)
          done += fs.writeSync(fd, bytes, done, bytes.length - done, position * chunkSize + done)
      }
      fs.ftruncateSync(fd, size)
    })
    // Somebody may have changed it while it was read.
    refuseMixture(view, tree, staged)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

const stage = (view: BranchView, tree: ChangedTree, staged: Staged): void => {
  if (isRegularMode(staged.inode.mode)) writeContent(view, tree, staged)
  else mknod(view, staged)
  setAttributes(view, staged.path, attributesOf(tree, staged.inode))
}

/**
 * Sets the attributes of files that stay in place on another file first: what the base's filesystem has no room for is found out
 * before the commit is begun.
 */
const tryAttributes = (view: BranchView, steps: ReadonlyArray<Step>, staging: BranchPath): void => {
  const probe = joinPath(staging, "probe")
  for (const step of steps) {
    if (step.do !== "attributes" || (step.attributes.xattrs?.length ?? 0) === 0 || step.attributes.isSymlink) continue
    fs.closeSync(fs.openSync(absolute(view, probe), "w"))
    setAttributes(view, probe, step.attributes)
    fs.unlinkSync(absolute(view, probe))
  }
}

/** Does, or goes on with, the steps of the journal; then the branch holds nothing. */
const apply = (view: BranchView, reached: Reached): void => {
  const { db } = view
  const done = prepareQuery<[number]>(db, "SELECT done FROM commitState").get()?.[0] ?? 0
  const steps = prepareQuery<[number, string]>(db, "SELECT seq, step FROM commitStep WHERE seq >= ? ORDER BY seq").all(
    done
  )
  const progress = db.prepare("UPDATE commitState SET done = ?")
  for (const [seq, text] of steps) {
    const step = JSON.parse(text) as Step
    doStep(view, step)
    reached(`${step.do} ${seq}`)
    progress.run(seq + 1)
    reached(`noted ${seq}`)
  }
  db.exec("BEGIN IMMEDIATE")
  clearChanges(db)
  db.exec("DELETE FROM commitState; DELETE FROM commitStep")
  noteEvent(db, "commit", "", `${steps.length} steps`)
  db.exec("COMMIT")
  reached("cleared")
}

/** Finishes a commit that was stopped, or takes back what one had prepared. Returns whether there was one. */
export const finishCommit = (view: BranchView, reached: Reached = () => {}): boolean => {
  const state = prepareQuery<[string, number]>(view.db, "SELECT staging, applying FROM commitState").get()
  if (state === undefined) return false
  if (state[1] !== 0) apply(view, reached)
  else {
    removeTree(absolute(view, state[0]))
    view.db.exec("DELETE FROM commitState")
  }
  return true
}

/** The changes that a commit applies, of those that were found. */
const chosen = (
  changes: ReadonlyArray<FoundChange>,
  conflicts: ReadonlyArray<FoundConflict>,
  onConflict: OnConflict
): ReadonlyArray<FoundChange> => {
  if (onConflict === "ours") return changes
  const left = new Set(conflicts.map(({ change }) => change))
  return changes.filter((change) => !left.has(change))
}

/** `sync` waits until the branch's journal is on the disk. */
export const commitChanges = (
  view: BranchView,
  onConflict: OnConflict,
  sync: () => void,
  reached: Reached = () => {}
): CommitResult => {
  const { db } = view
  const { changes, tree } = findChanges(view)
  const conflicts = findConflicts(view, tree, changes)
  if (conflicts.length > 0 && onConflict === "fail") return { applied: [], conflicts }
  const applied = chosen(changes, conflicts, onConflict)
  const staging: BranchPath = joinPath("", `${prefix}${randomBytes(6).toString("hex")}`)
  db.prepare("INSERT INTO commitState (id, staging, applying, done) VALUES (1, ?, 0, 0)").run(staging)
  reached("begun")
  fs.mkdirSync(absolute(view, staging), 0o700)
  reached("staging")
  try {
    const plan = planCommit(view, tree, applied, staging)
    for (const staged of plan.staged) {
      stage(view, tree, staged)
      reached(`staged ${staged.inode.ino}`)
    }
    tryAttributes(view, plan.steps, staging)
    db.exec("BEGIN IMMEDIATE")
    const insert = db.prepare("INSERT INTO commitStep (seq, step) VALUES (?, ?)")
    for (const [seq, step] of plan.steps.entries()) insert.run(seq, JSON.stringify(step))
    db.exec("UPDATE commitState SET applying = 1; COMMIT")
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    finishCommit(view)
    throw error
  }
  sync()
  reached("journal")
  apply(view, reached)
  return { applied, conflicts }
}
