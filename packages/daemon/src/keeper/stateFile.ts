/**
 * What the next keeper must know when this one dies without a word: which mounts are ours, and the
 * processes that may still serve them. One JSON file in the runtime directory, replaced atomically.
 */
import type { ConnectionRecord } from "@bickford/session"
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readRegularFile } from "../regularFile.ts"

/** A process, told from a later one with the same number by when it began. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since the boot, as in /proc/PID/stat. */
  readonly began: string
}

export interface MountRecord {
  readonly name: string
  readonly source: string
  /** What of its options selected what is served; absent where the source alone tells. */
  readonly selected?: string
  /** As configured. */
  readonly configured: string
  /** Without links, as the kernel lists it. */
  readonly mountpoint: string
  /** `MAJOR:MINOR`. */
  readonly device: string
  readonly id: string
  readonly mountedAt: number
  readonly served: "never" | "durable" | "volatile"
  readonly negotiated?: ConnectionRecord["negotiated"]
  readonly worker?: ProcessIdentity
}

export interface DaemonState {
  readonly keeper: ProcessIdentity
  readonly mounts: ReadonlyArray<MountRecord>
}

const fileIn = (runtimeDirectory: string): string => join(runtimeDirectory, "state.json")

/** When a process began; undefined when there is none (any more). */
export const identityOf = (pid: number): ProcessIdentity | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name, in parentheses, may hold anything; then come the state and what follows.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const began = fields[18]
    return began === undefined || state === "Z" ? undefined : { pid, began }
  } catch {
    return undefined
  }
}

/** Whether that very process still runs. */
export const isAlive = ({ began, pid }: ProcessIdentity): boolean => identityOf(pid)?.began === began

export const writeState = (runtimeDirectory: string, state: DaemonState): void => {
  const file = fileIn(runtimeDirectory)
  // Never through what somebody may have put there while others could write the directory.
  rmSync(`${file}.new`, { force: true })
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600, flag: "wx" })
  renameSync(`${file}.new`, file)
}

/** The state that a keeper left; undefined when there is none that can be read. */
export const readState = (runtimeDirectory: string): DaemonState | undefined => {
  try {
    const state: DaemonState = JSON.parse(readRegularFile(fileIn(runtimeDirectory)))
    return Array.isArray(state.mounts) && typeof state.keeper.pid === "number" ? state : undefined
  } catch {
    return undefined
  }
}
