/** Filesystems that are ready to mount. */
export { memory, type MemoryBackend, type MemoryStats } from "./memory/memory.ts"
export type { MemoryOptions } from "./memory/options.ts"
export type { UserQuota } from "./posix/usage.ts"
