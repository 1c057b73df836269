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
import { conflicting, type Lock, withLock } from "./ranges.ts"
import { fileSizeMax } from "@bickford/protocol/arithmetic"

export type LockKind = "posix" | "flock"

interface Waiter {
  readonly lock: Lock
  readonly grant: () => void
}

/** One kind of locks on one file. */
interface Table {
  readonly kind: LockKind
  held: ReadonlyArray<Lock>
  waiting: Array<Waiter>
}

const done: Exit.Exit<void> = Exit.void

const wholeFile = (owner: U64, type: number): Lock => ({ owner, start: 0, end: fileSizeMax, type, pid: 0 })

export const makeLocks = () => {
  const tables = { posix: new Map<number, Table>(), flock: new Map<number, Table>() }

  const tableOf = (kind: LockKind, ino: number): Table => {
    const found = tables[kind].get(ino)
    if (found !== undefined) return found
    const table: Table = { kind, held: [], waiting: [] }
    tables[kind].set(ino, table)
    return table
  }
  const dropIfUnused = (table: Table, ino: number): void => {
    if (table.held.length === 0 && table.waiting.length === 0) tables[table.kind].delete(ino)
  }

  const conflict = (table: Table, lock: Lock): Lock | undefined =>
    lock.type === F_UNLCK ? undefined : table.held.find((held) => conflicting(held, lock))

  /** Takes or drops a lock; false when another's is in the way. Says nothing to the waiters. */
  const take = (table: Table, lock: Lock): boolean => {
    if (conflict(table, lock) !== undefined) {
      // flock(2): a conversion gives up the old lock first, and then waits or fails without it.
      if (table.kind === "flock") table.held = table.held.filter((held) => held.owner !== lock.owner)
      return false
    }
    table.held = withLock(table.held, lock)
    return true
  }

  const wake = (table: Table): void => {
    if (table.waiting.length === 0) return
    const granted: Array<Waiter> = []
    // Taking a lock can free another (a write lock that becomes a read lock): until nothing changes.
    for (let before = -1; before !== granted.length;) {
      before = granted.length
      table.waiting = table.waiting.filter((waiter) => {
        if (!take(table, waiter.lock)) return true
        granted.push(waiter)
        return false
      })
    }
    for (const waiter of granted) waiter.grant()
  }

  /** Whether waiting for this lock would wait for its own owner, through any number of others. */
  const wouldDeadlock = (table: Table, wanted: Lock): boolean => {
    const seen = new Set<U64>()
    const visit = (at: Table, lock: Lock): boolean =>
      at.held.some((held) => {
        if (!conflicting(held, lock) || seen.has(held.owner)) return false
        seen.add(held.owner)
        return [...tables.posix.values()].some((other) =>
          other.waiting.some(
            (waiter) =>
              waiter.lock.owner === held.owner &&
              (other.held.some((blocker) => blocker.owner === wanted.owner && conflicting(blocker, waiter.lock)) ||
                visit(other, waiter.lock))
          )
        )
      })
    return visit(table, wanted)
  }

  const set = (kind: LockKind, ino: number, lock: Lock): boolean => {
    const table = tableOf(kind, ino)
    const before = table.held
    const taken = take(table, lock)
    if (table.held !== before) wake(table)
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
      const { end, pid, start, type } = (table && conflict(table, lock)) ?? { ...lock, type: F_UNLCK, pid: 0 }
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
        if (kind === "posix" && wouldDeadlock(table, lock)) {
          dropIfUnused(table, ino)
          return resume(Errno.EDEADLK)
        }
        const waiter: Waiter = { lock, grant: () => resume(done) }
        table.waiting.push(waiter)
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
