/** OTP's supervisors for Effect; nothing of FUSE in it. */
export type { BackoffPolicy } from "./backoff.ts"
export { ChildError, type RestartRecord, SupervisorError } from "./errors.ts"
export type { SupervisorEvent } from "./events.ts"
export { nested } from "./nested.ts"
export { patientSleep, patientTimeoutOption, patientTimeoutOrElse, sleepAndTell } from "./patience.ts"
export type { AutoShutdown, ChildSpec, Restart, Strategy, SupervisorOptions } from "./spec.ts"
export { make, type Supervisor } from "./supervisor.ts"
export type { NodeState, TreeNode } from "./tree.ts"
