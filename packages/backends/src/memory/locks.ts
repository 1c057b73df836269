/**
 * POSIX (fcntl) and BSD (flock) locks of all files, with those who wait for one.
 *
 * The two kinds do not see each other. Waiters are served in the order in which they came.
 */
import type { FileLock, U64 } from "@bickford/protocol"
import { Errno, type ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { F_UNLCK } from "../posix/linux.ts"
import { type LockKind, LockTable, type Waiter, wouldDeadlock } from "./lockTable.ts"
import type { Lock } from "./ranges.ts"
import { fileSizeMax } from "@bickford/protocol/arithmetic"

const done: Exit.Exit<void> = Exit.void

const wholeFile = (owner: U64, type: number): Lock => ({ owner, start: 0, end: fileSizeMax, type, pid: 0 })

export const makeLocks = () => {
  const tables = { posix: new Map<number, LockTable>(), flock: new Map<number, LockTable>() }

  const tableOf = (kind: LockKind, ino: number): LockTable => {
    const found = tables[kind].get(ino)
    if (found !== undefined) return found
    const table = new LockTable(kind)
    tables[kind].set(ino, table)
    return table
  }
  const dropIfUnused = (table: LockTable, ino: number): void => {
    if (table.isUnused) tables[table.kind].delete(ino)
  }

  const set = (kind: LockKind, ino: number, lock: Lock): boolean => {
    const table = tableOf(kind, ino)
    const taken = table.set(lock)
    dropIfUnused(table, ino)
    return taken
  }

  /** Drops all that `owner` holds on a file. */
  const release = (kind: LockKind, ino: number, owner: U64): void => {
    if (tables[kind].has(ino)) set(kind, ino, wholeFile(owner, F_UNLCK))
  }

  return {
    release,

    /** A lock that is in the way, or F_UNLCK. */
    get: (kind: LockKind, ino: number, lock: Lock): FileLock => {
      const table = tables[kind].get(ino)
      const { end, pid, start, type } = table?.conflict(lock) ?? { ...lock, type: F_UNLCK, pid: 0 }
      return { start, end, type, pid }
    },

    /** Fails with EAGAIN when another's lock is in the way. */
    set: (kind: LockKind, ino: number, lock: Lock): Effect.Effect<void, ErrnoError> =>
      set(kind, ino, lock) ? done : Errno.EAGAIN,

    /** Waits while another's lock is in the way; when that can never end, EDEADLK. Interruption gives up the wait. */
    setAndWait: (kind: LockKind, ino: number, lock: Lock): Effect.Effect<void, ErrnoError> => {
      if (set(kind, ino, lock)) return done
      return Effect.callback<void, ErrnoError>((resume) => {
        // Between the attempt above and this there may have been others.
        if (set(kind, ino, lock)) return resume(done)
        const table = tableOf(kind, ino)
        if (kind === "posix" && wouldDeadlock(tables.posix.values(), table, lock)) {
          dropIfUnused(table, ino)
          return resume(Errno.EDEADLK)
        }
        const waiter: Waiter = { lock, grant: () => resume(done) }
        table.waiting = [...table.waiting, waiter]
        return Effect.sync(() => {
          table.waiting = table.waiting.filter((other) => other !== waiter)
          dropIfUnused(table, ino)
        })
      })
    },

    /** The file is gone. */
    forget: (ino: number): void => {
      tables.posix.delete(ino)
      tables.flock.delete(ino)
    },

    /** How many are held and waited for, of both kinds. */
    count: () => {
      let held = 0
      let waiting = 0
      for (const kind of ["posix", "flock"] as const) {
        for (const table of tables[kind].values()) {
          held += table.held.length
          waiting += table.waiting.length
        }
      }
      return { held, waiting }
    }
  }
}

export type Locks = ReturnType<typeof makeLocks>

/** A lock as a request describes it: flock(2) has no ranges. */
export const requestedLock = (owner: U64, lk: FileLock, kind: LockKind): Lock =>
  kind === "flock"
    ? { ...wholeFile(owner, lk.type), pid: lk.pid }
    : { owner, start: lk.start, end: lk.end, type: lk.type, pid: lk.pid }
