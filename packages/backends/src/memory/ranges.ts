/** Locked ranges of one file, as fcntl(2) has them: pure. */
import type { U64 } from "@bickford/protocol"
import { F_UNLCK, F_WRLCK } from "../posix/linux.ts"
import { add, max, min } from "@bickford/protocol/arithmetic"

/** A lock that is held or wanted; `end` is inclusive. */
export interface Lock {
  readonly owner: U64
  readonly start: U64
  readonly end: U64
  /** F_RDLCK or F_WRLCK; F_UNLCK only when wanted. */
  readonly type: number
  readonly pid: number
}

/** Whether both cannot be held at once. */
export const conflicting = (held: Lock, wanted: Lock): boolean =>
  held.owner !== wanted.owner &&
  held.start <= wanted.end &&
  wanted.start <= held.end &&
  (held.type === F_WRLCK || wanted.type === F_WRLCK)

/**
 * The locks held after `wanted` has replaced whatever its owner held in its range. The owner's locks
 * are split at the range's ends, and joined with those of the same type that touch it.
 */
export const withLock = (held: ReadonlyArray<Lock>, wanted: Lock): ReadonlyArray<Lock> => {
  const { end, start } = wanted
  const next: Array<Lock> = []
  let joinedStart = start
  let joinedEnd = end
  for (const lock of held) {
    if (lock.owner !== wanted.owner) next.push(lock)
    else if (lock.type === wanted.type && lock.start <= add(end, 1) && start <= add(lock.end, 1)) {
      joinedStart = min(joinedStart, lock.start)
      joinedEnd = max(joinedEnd, lock.end)
    } else if (lock.start > end || lock.end < start) next.push(lock)
    else {
      if (lock.start < start) next.push({ ...lock, end: add(start, -1) })
      if (lock.end > end) next.push({ ...lock, start: add(end, 1) })
    }
  }
  if (wanted.type !== F_UNLCK) next.push({ ...wanted, start: joinedStart, end: joinedEnd })
  return next
}
