/**
 * File descriptors, of which a process has few where RLIMIT_NOFILE is low (getrlimit(2)). Files that callers keep open may not take the last of them: looking at names and files,
 * listing and closing must go on. The kernel gives the lowest number that is free, so a number tells how many are in
 * use, by whomever.
 */
import { errnoNumbers } from "@bickford/protocol"
import { descriptorLimit, files } from "@bickford/transport"
import type { Node, Nodes } from "./nodes.ts"

const { ENFILE } = errnoNumbers

export interface DescriptorLimits {
  /** The number from which on no file stays open for a caller. */
  readonly files: number
  /** Likewise, for directories: a listing is soon over. */
  readonly directories: number
  /** How many may be held for files that are not open. */
  readonly cached: number
}

/** Descriptors that are kept from callers, where there are many. */
const reserve = 16

/** What the limit of this process allows, beside what it has open now; of `cached`, no more than was asked for. */
export const descriptorLimits = (cached: number): DescriptorLimits => {
  const { free, most } = descriptorLimit()
  const kept = Math.min(reserve, Math.floor(free / 3))
  return {
    files: most - kept,
    directories: most - Math.floor(kept / 2),
    cached: Math.min(cached, Math.floor(free / 4))
  }
}

export interface Room {
  /** The descriptor, or one of a lower number in its place, if that may stay; else -ENFILE, and it is closed. */
  readonly keep: (fd: number, most: number) => number
  /** As `keep`, for a file that was just made: there is no way back. */
  readonly keepMade: (fd: number) => number
  /** 0 while one more file may be opened; else -ENFILE. To be asked before a file is made. */
  readonly forOneMore: () => number
  /** Whether what a node holds may stay for a caller who has the file open. */
  readonly mayKeepHeld: (node: Node) => boolean
}

/** Finds room among the descriptors by giving up what is only cached. */
export const makeRoom = (limits: DescriptorLimits, nodes: Nodes): Room => {
  /** Few are left, as far as the last number told. */
  let few = false

  const lower = (fd: number): number => {
    nodes.evict()
    const other = files.fs_duplicate(fd)
    if (other < 0 || other > fd) {
      if (other >= 0) files.fs_close(other)
      return fd
    }
    files.fs_close(fd)
    return other
  }

  const keepLow = (fd: number, most: number): number => {
    const kept = lower(fd)
    if (kept < most) return kept
    few = true
    files.fs_close(kept)
    return -ENFILE
  }

  const keepMade = (fd: number): number => {
    if (fd < limits.files) return fd
    const kept = lower(fd)
    few = kept >= limits.files
    return kept
  }

  return {
    keep: (fd, most) => (fd < most ? fd : keepLow(fd, most)),
    keepMade,
    forOneMore: () => {
      if (!few) return 0
      nodes.evict()
      const probe = files.fs_duplicate(nodes.root.fd)
      if (probe >= 0) files.fs_close(probe)
      few = probe < 0 || probe >= limits.files
      return few ? -ENFILE : 0
    },
    mayKeepHeld: (node) => node.fd < limits.files || nodes.lower(node) < limits.files
  }
}
