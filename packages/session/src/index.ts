/** Sessions: dispatch, lifecycle and supervision of the protocol over a transport. */
export { type AtimeFlags, type AtimePolicy, atimePolicy, type AtimeRule } from "./atime.ts"
export type {
  AsyncBackend,
  AsyncOperation,
  Backend,
  BackendConnection,
  Interruptible,
  Operation,
  SharedBackend
} from "./Backend.ts"
export { standInFor } from "./dispatcher/absent.ts"
export { effectOf } from "./dispatcher/promises.ts"
export { interruptibility } from "./dispatcher/interruptible.ts"
export { embed, type EmbeddedSession, embedFrames, type FrameSession } from "./embed.ts"
export * from "./errno.ts"
export {
  type Mount,
  type MountEnd,
  type MountError,
  type MountOptions,
  MountTimeoutError,
  deviceOptions,
  mount
} from "./Mount.ts"
export { transportFor } from "./incarnation.ts"
export { answeredBy, servedByIsolates } from "./isolates/servedByIsolates.ts"
export { InsideOperation, type Notify } from "./notify/Notifier.ts"
export * as Local from "./calls/index.ts"
export { importModule } from "./importModule.ts"
export { loadBackend } from "./loadBackend.ts"
export { logToStderr } from "./observe/logging.ts"
export { metrics } from "./observe/metrics.ts"
export { observe, type Observed, type Observer } from "./observe/Observer.ts"
export { CallPaths, type PathSource } from "./observe/CallPaths.ts"
export {
  type AnsweredCall,
  type CallFilter,
  type CallListener,
  errorText,
  shownPaths,
  watchCalls
} from "./observe/watchCalls.ts"
export { wireLog, type WireLogOptions } from "./observe/wireLog.ts"
export { isOptionError, OptionError } from "./options.ts"
export { withinRequestLimit } from "./requestLimit.ts"
export type { RequestContext } from "./RequestContext.ts"
export * as Session from "./Session.ts"
export type { BackendSource, ConnectionRecord } from "./Session.ts"
export { memoryData, type WriteBufRequest, type WriteData } from "./WriteData.ts"
export { worker as mountWorker, type WorkerMount, WorkerMountError } from "./worker/worker.ts"
export type { WorkerMountOptions } from "./worker/messages.ts"
