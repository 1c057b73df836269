/** The process behind a request, as `/proc/PID/status` (proc(5)) has it. */
import { limits } from "@bickford/protocol"
import { readFileSync } from "node:fs"
import { constants } from "node:os"

const { FUSE_INVALID_UIDGID } = limits
const none: ReadonlyArray<number> = []

/** The file's text; undefined when the process is gone, or is not ours to see. */
const statusOf = (pid: number): string | undefined => {
  if (pid === 0) return undefined
  try {
    return readFileSync(`/proc/${pid}/status`, "latin1")
  } catch {
    return undefined
  }
}

/** What a line holds behind its name. The rest of that line only: an empty `Groups:` is followed by numbers of other things. */
const field = (status: string, name: string): string | undefined => {
  const start = status.indexOf(`\n${name}:`)
  if (start < 0) return undefined
  const from = start + name.length + 2
  const end = status.indexOf("\n", from)
  return status.slice(from, end < 0 ? status.length : end).trim()
}

/** The supplementary groups that a `/proc/PID/status` names. */
const groupsIn = (status: string): ReadonlyArray<number> => {
  const listed = field(status, "Groups")
  return listed === undefined || listed === "" ? none : listed.split(/\s+/).map(Number)
}

/** A user and a group. */
export interface Ids {
  readonly uid: number
  readonly gid: number
}

const unknownIds: Ids = { uid: FUSE_INVALID_UIDGID, gid: FUSE_INVALID_UIDGID }

/** Of the four ids of a line the last one, which counts towards filesystems. */
const filesystemId = (status: string, name: string): number =>
  Number(field(status, name)?.split(/\s+/).at(3) ?? FUSE_INVALID_UIDGID)

/** The ids that a process uses towards filesystems; FUSE_INVALID_UIDGID when it is gone, or not ours to see. */
export const idsOf = (pid: number): Ids => {
  const status = statusOf(pid)
  return status === undefined ? unknownIds : { uid: filesystemId(status, "Uid"), gid: filesystemId(status, "Gid") }
}

/** A process's supplementary groups; empty when it is gone, or not ours to see. */
export const groupsOf = (pid: number): ReadonlyArray<number> => {
  const status = statusOf(pid)
  return status === undefined ? none : groupsIn(status)
}

const bit = (signal: NodeJS.Signals): bigint => 1n << BigInt(constants.signals[signal] - 1)
const killed = bit("SIGKILL")
/** By default these end no process: signal(7). */
const harmless =
  bit("SIGCHLD") |
  bit("SIGURG") |
  bit("SIGWINCH") |
  bit("SIGCONT") |
  bit("SIGSTOP") |
  bit("SIGTSTP") |
  bit("SIGTTIN") |
  bit("SIGTTOU")

const mask = (status: string, name: string): bigint => BigInt(`0x${field(status, name) ?? "0"}`)

/**
 * Whether a `/proc/PID/status` is that of a process that will not come back from its call: a zombie, or one with a signal
 * pending that ends it. The kernel marks the threads of such a process with a pending SIGKILL, whatever the signal was,
 * unless it dumps core: that signal stays pending as itself.
 */
const isDyingIn = (status: string): boolean => {
  const state = field(status, "State") ?? ""
  if (state.startsWith("Z") || state.startsWith("X")) return true
  const pending = mask(status, "SigPnd") | mask(status, "ShdPnd")
  if (pending === 0n) return false
  if ((pending & killed) !== 0n) return true
  return (pending & ~(mask(status, "SigBlk") | mask(status, "SigIgn") | mask(status, "SigCgt") | harmless)) !== 0n
}

/** Whether nobody will look at what the caller is answered. False where that cannot be seen (`pid` 0, another PID namespace). */
export const isDying = (pid: number): boolean => {
  const status = statusOf(pid)
  return status === undefined ? isGone(pid) : isDyingIn(status)
}

/** Whether there is no such thread any more. Asked of the kernel, as /proc may hide others' processes (`hidepid`). */
export const isGone = (pid: number): boolean => {
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH"
  }
}
