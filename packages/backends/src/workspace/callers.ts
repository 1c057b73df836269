/**
 * Which program a caller runs. A request names the calling thread; its process and its program are read from /proc.
 *
 * A descriptor of `/proc/TID` stands for that thread alone: once the thread is gone it finds nothing, whoever has the number
 * then. So it is kept, and only the user and the program are read each time, since a process may have begun another one
 * (execve(2)).
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from "node:fs"

/** Who calls. */
export interface Caller {
  /** The process; 0 for the kernel itself, and for a caller that cannot be seen. */
  readonly pid: number
  /** Its effective user; undefined where it cannot be seen. */
  readonly uid: number | undefined
  /** The path of its program; empty where it cannot be seen. */
  readonly program: string
}

interface Held {
  readonly fd: number
  readonly pid: number
}

const heldMax = 64
const O_PATH = 0o10000000

const processOf = (fd: number): number => {
  const status = readFileSync(`/proc/self/fd/${fd}/status`, "latin1")
  return Number(/^Tgid:\s*(\d+)/m.exec(status)?.[1] ?? 0)
}

const hold = (tid: number): Held | undefined => {
  let fd = -1
  try {
    fd = openSync(`/proc/${tid}`, O_PATH | constants.O_DIRECTORY)
    return { fd, pid: processOf(fd) }
  } catch {
    // It is gone, or another PID namespace has it.
    if (fd >= 0) closeSync(fd)
    return undefined
  }
}

/** The program of a thread; undefined when the thread is gone. */
const programOf = (fd: number): string | undefined => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}/exe`)
  } catch (error) {
    // Of another user's process no program is told.
    return error instanceof Error && "code" in error && error.code === "EACCES" ? "" : undefined
  }
}

const nobody: Caller = { pid: 0, uid: undefined, program: "" }

export const makeCallers = () => {
  /** By thread, the one that called longest ago first. */
  const held = new Map<number, Held>()

  const letGo = (tid: number, { fd }: Held): void => {
    held.delete(tid)
    closeSync(fd)
  }

  const remember = (tid: number, found: Held): void => {
    held.set(tid, found)
    if (held.size <= heldMax) return
    for (const [oldest, known] of held) {
      letGo(oldest, known)
      return
    }
  }

  return {
    of: (tid: number): Caller => {
      if (tid === 0) return nobody
      const known = held.get(tid)
      if (known !== undefined) {
        const program = programOf(known.fd)
        held.delete(tid)
        if (program !== undefined) {
          held.set(tid, known)
          return { pid: known.pid, uid: fstatSync(known.fd).uid, program }
        }
        closeSync(known.fd)
      }
      const found = hold(tid)
      if (found === undefined) return nobody
      remember(tid, found)
      return { pid: found.pid, uid: fstatSync(found.fd).uid, program: programOf(found.fd) ?? "" }
    },
    close: (): void => {
      for (const [tid, known] of held) letGo(tid, known)
    }
  }
}
