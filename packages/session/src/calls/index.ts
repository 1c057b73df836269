/**
 * Calls by path on a filesystem in the same program, without a mount.
 *
 * @module
 */
export type { Answered, Fault, KernelSide } from "./KernelSide.ts"
export { type Listed, type LocalCalls, localCalls } from "./LocalCalls.ts"
export { type LocalKernel, localKernel } from "./LocalKernel.ts"
export type { OpenHandle } from "./OpenHandle.ts"
export type { PathCalls, Ruled } from "./PathCalls.ts"
export { type Caller, type Rules, rulesFor } from "./permissions.ts"
