/**
 * The whole library: mounts, filesystems ready to mount, and the transport underneath. `mount` is for
 * promises; the one for Effect is `@bickford/session`'s, here under `Session`'s side as `mountEffect`.
 */
export * from "@bickford/backends"
export * from "@bickford/session"
export { mount as mountEffect } from "@bickford/session"
export * as Protocol from "@bickford/protocol"
export * as Supervisor from "@bickford/supervisor"
export * as Transport from "@bickford/transport"
export {
  type CommandLine,
  commandLineHelp,
  CommandLineError,
  parseCommandLine,
  sessionHelp,
  version
} from "./promise/commandLine.ts"
export { type Ended, mount, type Mounted, type MountOptions, type Restart } from "./promise/mount.ts"
export * as Lifecycle from "./promise/lifecycle.ts"
export { MountFailure } from "./promise/MountFailure.ts"
