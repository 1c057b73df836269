/**
 * How many file descriptors this process may have (RLIMIT_NOFILE, getrlimit(2)). Node raises the soft limit to the hard
 * one as it starts.
 */
import { readdirSync, readFileSync } from "node:fs"

export interface DescriptorLimit {
  /** All numbers are below it. */
  readonly most: number
  /** How many more may be opened now. */
  readonly free: number
}

export const descriptorLimit = (): DescriptorLimit => {
  const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? []
  const most = soft === "" ? Number.MAX_SAFE_INTEGER : Number(soft)
  return { most, free: Math.max(0, most - readdirSync("/proc/self/fd").length) }
}
