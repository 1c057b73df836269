/** The locks of one kind on one file: those that are held, and those that wait, in the order in which they came. */
import type { U64 } from "@bickford/protocol"
import { F_UNLCK } from "../posix/linux.ts"
import { conflicting, type Lock, withLock } from "./ranges.ts"

/** `posix`: of fcntl(2). `flock`: of flock(2), always on the whole file. */
export type LockKind = "posix" | "flock"

/** A request that waits for a lock. */
export interface Waiter {
  readonly lock: Lock
  readonly grant: () => void
}

export class LockTable {
  readonly kind: LockKind
  held: ReadonlyArray<Lock> = []
  waiting: ReadonlyArray<Waiter> = []

  constructor(kind: LockKind) {
    this.kind = kind
  }

  get isUnused(): boolean {
    return this.held.length === 0 && this.waiting.length === 0
  }

  /** A lock of another owner that is in the way. */
  conflict(lock: Lock): Lock | undefined {
    return lock.type === F_UNLCK ? undefined : this.held.find((held) => conflicting(held, lock))
  }

  /** Takes or drops a lock, and grants what can be granted after it. False when another's is in the way. */
  set(lock: Lock): boolean {
    const before = this.held
    const taken = this.#take(lock)
    if (this.held !== before) this.#wake()
    return taken
  }

  /** Takes or drops a lock; false when another's is in the way. Says nothing to the waiters. */
  #take(lock: Lock): boolean {
    if (this.conflict(lock) !== undefined) {
      // flock(2): a conversion gives up the old lock first, and then waits or fails without it.
      if (this.kind === "flock") this.held = this.held.filter((held) => held.owner !== lock.owner)
      return false
    }
    this.held = withLock(this.held, lock)
    return true
  }

  #wake(): void {
    if (this.waiting.length === 0) return
    const granted: Array<Waiter> = []
    // Taking a lock can free another (a write lock that becomes a read lock): until nothing changes.
    for (let before = -1; before !== granted.length;) {
      before = granted.length
      this.waiting = this.waiting.filter((waiter) => {
        if (!this.#take(waiter.lock)) return true
        granted.push(waiter)
        return false
      })
    }
    for (const waiter of granted) waiter.grant()
  }
}

/**
 * True when waiting for `wanted` would be waiting for its own owner, through any number of other owners. `tables` are
 * those of all files: a deadlock may lead through several.
 */
export const wouldDeadlock = (tables: Iterable<LockTable>, table: LockTable, wanted: Lock): boolean => {
  const all = [...tables]
  const seen = new Set<U64>()
  const leadsBack = (at: LockTable, lock: Lock): boolean =>
    at.held.some((held) => {
      if (!conflicting(held, lock) || seen.has(held.owner)) return false
      seen.add(held.owner)
      return all.some((other) =>
        other.waiting.some(
          (waiter) =>
            waiter.lock.owner === held.owner &&
            (other.held.some((blocker) => blocker.owner === wanted.owner && conflicting(blocker, waiter.lock)) ||
              leadsBack(other, waiter.lock))
        )
      )
    })
  return leadsBack(table, wanted)
}
