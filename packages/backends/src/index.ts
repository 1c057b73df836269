/** Filesystems that are ready to mount, and what to make one's own of. */
export type { AnyOperation } from "./combinators/operations.ts"
export { onlyFor } from "./combinators/onlyFor.ts"
export type { PathChange } from "./combinators/changes.ts"
export { readOnly } from "./combinators/readOnly.ts"
export { mountTable } from "./combinators/table/mountTable.ts"
export { type Fault, type FaultOptions, withFaults } from "./combinators/withFaults.ts"
export { shareBackend, type SharedBackend, type ViewOptions } from "./combinators/shared.ts"
export { type Owner, withOwner } from "./combinators/withOwner.ts"
export { type LogEntry, withLog } from "./combinators/withLog.ts"
export { memory, type MemoryBackend, type MemoryStats } from "./memory/memory.ts"
export type { MemoryOptions } from "./memory/options.ts"
export type { UserQuota } from "./posix/usage.ts"
export { checkPostgres, type PostgresReport } from "./postgres/check.ts"
export { describePostgres, type PostgresInfo, type PostgresSession } from "./postgres/describe.ts"
export type { PostgresStoreError } from "./postgres/errors.ts"
export type { PostgresOptions } from "./postgres/options.ts"
export { postgres, type PostgresBackend, type PostgresStats } from "./postgres/postgres.ts"
export { checkStore, type StoreProblem, type StoreReport } from "./sqlite/check.ts"
export { describeStore, type StoreContent, type StoreInfo } from "./sqlite/describe.ts"
export { repairStore, type RepairReport } from "./sqlite/repair.ts"
export { type SqliteStoreError, StoreBusyError, StoreUnusableError } from "./sqlite/errors.ts"
export type { SqliteOptions } from "./sqlite/options.ts"
export { sqlite, type SqliteBackend, type SqliteStats } from "./sqlite/sqlite.ts"
export {
  fileType,
  type PathAttributes,
  type PathCallbacks,
  type PathMount,
  type PathStatfs,
  type Time
} from "./path/callbacks.ts"
export type { Answer } from "./path/outcome.ts"
export * as PathFilesystem from "./path/PathFilesystem.ts"
export type { Content } from "./tree/openContent.ts"
export { folder, type LazyFolder, tree, type TreeNode } from "./tree/tree.ts"
export { passthrough, type PassthroughBackend, PassthroughError } from "./passthrough/passthrough.ts"
export type { IdRange, PassthroughOptions } from "./passthrough/options.ts"
export { WorkspaceError } from "./workspace/baseDirectory.ts"
export {
  type Branch,
  type CommitOptions,
  type Committed,
  openBranch,
  WorkspaceCommitError,
  WorkspaceConflictError
} from "./workspace/branch.ts"
export type { AuditDetail, AuditedOperation, AuditFilter, AuditRecord, AuditTime } from "./workspace/auditRecord.ts"
export type { BranchCopies } from "./workspace/branchCopies.ts"
export type { BranchReader } from "./workspace/branchReader.ts"
export { type BranchToRead, openBranchToRead } from "./workspace/servedBranch.ts"
export type { FileStat } from "./workspace/patch.ts"
export type { OnConflict, Reached } from "./workspace/commit.ts"
export type { Conflict } from "./workspace/conflicts.ts"
export type { Aspect, Change } from "./workspace/diff.ts"
export type { BranchEvent } from "./workspace/events.ts"
export type { FileType } from "./workspace/fileTypes.ts"
export { workspace, type WorkspaceBackend } from "./workspace/workspace.ts"
export { openWorkspace, type Workspace } from "./workspace/openWorkspace.ts"
export type { WorkspaceOptions } from "./workspace/options.ts"
export {
  branchFile,
  type BranchFile,
  deleteBranch,
  forgetConnection,
  listBranches,
  mainBranch,
  makeHome,
  refusedBranchName,
  removeLeftOvers,
  workspaceHome
} from "./workspace/home.ts"
