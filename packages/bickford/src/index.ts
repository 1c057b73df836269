/**
 * Mounting filesystems from Node.js, and filesystems to mount: what most programs need, under one name.
 *
 * `mount` returns a promise; `mountEffect` is the same for Effect. The numbers of the kernel's protocol are under
 * `Protocol`, descriptors and frames under `Transport`. What is not here is exported by the package that has it:
 * `@bickford/session`, `@bickford/backends`, and those that the namespaces name.
 */

// Mounting.
export { type Ended, mount, type Mounted, type MountOptions, type Restart } from "./promise/mount.ts"
export { MountFailure } from "./promise/MountFailure.ts"
export * as Lifecycle from "./promise/lifecycle.ts"
export { mount as mountEffect, mountWorker } from "@bickford/session"
export {
  type CommandLine,
  commandLineHelp,
  CommandLineError,
  parseCommandLine,
  sessionHelp,
  version
} from "./promise/commandLine.ts"

// Filesystems that are ready to mount, or to be filled in.
export {
  fileType,
  folder,
  memory,
  type MemoryOptions,
  passthrough,
  type PassthroughOptions,
  type PathCallbacks,
  PathFilesystem,
  sqlite,
  type SqliteOptions,
  tree,
  type TreeNode
} from "@bickford/backends"

// Branches of a directory: run commands on them, look at their changes, keep them or throw them away.
export { openWorkspace, type Workspace, type WorkspaceBranch, WorkspaceFailure } from "./promise/workspace.ts"

// Filesystems made of others.
export { mountTable, onlyFor, readOnly, withFaults, withLog, withOwner } from "@bickford/backends"

// A filesystem of one's own, by the kernel's operations.
export {
  type AsyncBackend,
  type Backend,
  type BackendSource,
  Errno,
  type RequestContext,
  servedByIsolates
} from "@bickford/session"

// Watching a mount.
export { metrics, observe, type Observer, wireLog } from "@bickford/session"

export * as Protocol from "@bickford/protocol"
export { Session } from "@bickford/session"
export * as Supervisor from "@bickford/supervisor"
export * as Transport from "@bickford/transport"
