/**
 * What a command needs to mount a source in its own process, or to ask a daemon that runs. The daemon itself is in
 * `@bickford/daemon/keeper`, which is loaded by the commands that start one.
 */
export { CommandError, commandError } from "./CommandError.ts"
export { ask, askStatus, follow } from "./control/client.ts"
export { defaultRuntimeDirectory, socketIn } from "./control/runtimeDirectory.ts"
export type { MountStatus, StatusReport } from "./control/StatusReport.ts"
export { directSocketOf } from "./direct/socketOf.ts"
export { latenciesSince, percentile } from "./metrics/latencies.ts"
export { type OwnProgram, sameCommand } from "./ownProgram.ts"
export { readRegularFile } from "./regularFile.ts"
export { backendFor } from "./sources/backendFor.ts"
export { beforeMounting } from "./sources/covered.ts"
export {
  isParsed,
  isSource,
  parseSource,
  shownSource,
  sourceOf,
  sourcesHelp,
  withAbsolutePath
} from "./sources/index.ts"
export { ignoreStrayedSignals } from "./strayedSignals.ts"
export { type LineListener, makeLineReader } from "./worker/channel.ts"
