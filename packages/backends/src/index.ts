/** Filesystems that are ready to mount. */
export { memory, type MemoryBackend, type MemoryStats } from "./memory/memory.ts"
export type { MemoryOptions } from "./memory/options.ts"
export type { UserQuota } from "./posix/usage.ts"
export type { SqliteStoreError, StoreBusyError, StoreUnusableError } from "./sqlite/errors.ts"
export type { SqliteOptions } from "./sqlite/options.ts"
export { sqlite, type SqliteBackend, type SqliteStats } from "./sqlite/sqlite.ts"
