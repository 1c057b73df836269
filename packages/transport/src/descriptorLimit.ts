/**
 * How many file descriptors this process may have (RLIMIT_NOFILE, getrlimit(2)). Node raises the soft limit to the hard
 * one as it starts.
 */
import { readdirSync, readFileSync } from "node:fs"

/** This process's limit of descriptors, and what is left of it. */
export interface DescriptorLimit {
  /** All numbers are below it. */
  readonly most: number
  /** How many more may be opened now. */
  readonly free: number
}

/** Reads the limit and how many descriptors are open. */
export const descriptorLimit = (): DescriptorLimit => {
  const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? []
  const most = soft === "" ? Number.MAX_SAFE_INTEGER : Number(soft)
  return { most, free: Math.max(0, most - readdirSync("/proc/self/fd").length) }
}
