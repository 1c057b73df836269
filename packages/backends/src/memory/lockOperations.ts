/** GETLK, SETLK, SETLKW, and the two requests that drop an owner's locks: FLUSH and RELEASE. */
import type { Backend } from "@bickford/session"
import * as Exit from "effect/Exit"
import { done } from "../posix/filesystem.ts"
import { FUSE_LK_FLOCK, FUSE_RELEASE_FLOCK_UNLOCK } from "../posix/linux.ts"
import { type Locks, requestedLock } from "./locks.ts"
import type { LockKind } from "./lockTable.ts"

const kindOf = (lkFlags: number): LockKind => ((lkFlags & FUSE_LK_FLOCK) !== 0 ? "flock" : "posix")

export const lockOperations = (locks: Locks): Pick<Backend, "getlk" | "setlk" | "setlkw" | "flush" | "release"> => ({
  getlk: ({ lk, lkFlags, nodeid, owner }) => {
    const kind = kindOf(lkFlags)
    return Exit.succeed(locks.get(kind, Number(nodeid), requestedLock(owner, lk, kind)))
  },
  setlk: ({ lk, lkFlags, nodeid, owner }) => {
    const kind = kindOf(lkFlags)
    return locks.set(kind, Number(nodeid), requestedLock(owner, lk, kind))
  },
  setlkw: ({ lk, lkFlags, nodeid, owner }) => {
    const kind = kindOf(lkFlags)
    return locks.setAndWait(kind, Number(nodeid), requestedLock(owner, lk, kind))
  },
  // close(2) drops the process's POSIX locks, through whichever of its descriptors.
  flush: ({ lockOwner, nodeid }) => {
    locks.release("posix", Number(nodeid), lockOwner)
    return done
  },
  release: ({ lockOwner, nodeid, releaseFlags }) => {
    if ((releaseFlags & FUSE_RELEASE_FLOCK_UNLOCK) !== 0) locks.release("flock", Number(nodeid), lockOwner)
    return done
  }
})
