/** The process behind a request, as `/proc/PID/status` (proc(5)) has it. */
import { readFileSync } from "node:fs"

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
export const groupsIn = (status: string): ReadonlyArray<number> => {
  const listed = field(status, "Groups")
  return listed === undefined || listed === "" ? none : listed.split(/\s+/).map(Number)
}

/** A process's supplementary groups; empty when it is gone, or not ours to see. */
export const groupsOf = (pid: number): ReadonlyArray<number> => {
  const status = statusOf(pid)
  return status === undefined ? none : groupsIn(status)
}
