/**
 * Which program a caller runs. A request names the calling thread; its process and its program are read from /proc.
 *
 * Descriptors of `/proc/TID` and of its link to the program stand for that thread alone: once the thread is gone they find
 * nothing, whoever has the number then. So they are kept, and only the user and the program are read each time, since a
 * process may have begun another one (execve(2)).
 */
import { errnoNumbers } from "@bickford/protocol"
import { attributeWords, files } from "@bickford/transport"
import { closeSync, constants, openSync, readFileSync } from "node:fs"

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
  /** Of its link to the program. */
  readonly exe: number
  readonly pid: number
}

/** What is known of a thread now. */
interface Seen {
  readonly uid: number
  readonly program: string
}

const { EACCES } = errnoNumbers
const pathRoom = Buffer.alloc(4096)
const attributes = new Uint32Array(files.fs_attributes())

const heldMax = 64
const O_PATH = 0o10000000

const processOf = (fd: number): number => {
  const status = readFileSync(`/proc/self/fd/${fd}/status`, "latin1")
  return Number(/^Tgid:\s*(\d+)/m.exec(status)?.[1] ?? 0)
}

const hold = (tid: number): Held | undefined => {
  const opened: Array<number> = []
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags | O_PATH)
    opened.push(fd)
    return fd
  }
  try {
    const fd = open(`/proc/${tid}`, constants.O_DIRECTORY)
    return { fd, exe: open(`/proc/self/fd/${fd}/exe`, constants.O_NOFOLLOW), pid: processOf(fd) }
  } catch {
    // It is gone, or another PID namespace has it.
    for (const fd of opened) closeSync(fd)
    return undefined
  }
}

/** Looks at a thread; undefined when it is gone. Takes 5 us on a busy machine; Node's own calls for the same, 12. */
const see = ({ exe, fd }: Held): Seen | undefined => {
  const length = files.fs_readlink(exe, pathRoom)
  // Of another user's process no program is told.
  if (length < 0 && length !== -EACCES) return undefined
  if (files.fs_stat(fd) < 0) return undefined
  return { uid: attributes[attributeWords.uid] ?? 0, program: length < 0 ? "" : pathRoom.toString("utf8", 0, length) }
}

const nobody: Caller = { pid: 0, uid: undefined, program: "" }

export const makeCallers = () => {
  /** By thread, the one that called longest ago first. */
  const held = new Map<number, Held>()

  const letGo = (tid: number, { exe, fd }: Held): void => {
    held.delete(tid)
    closeSync(exe)
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
        const seen = see(known)
        if (seen === undefined) letGo(tid, known)
        else {
          held.delete(tid)
          held.set(tid, known)
          return { pid: known.pid, ...seen }
        }
      }
      const found = hold(tid)
      if (found === undefined) return nobody
      remember(tid, found)
      return { pid: found.pid, ...(see(found) ?? { uid: undefined, program: "" }) }
    },
    close: (): void => {
      for (const [tid, known] of held) letGo(tid, known)
    }
  }
}
