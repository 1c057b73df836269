/** Changes of attributes, as the kernel sends them. */
import type { Timespec, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { Answered, Fault, KernelSide } from "./KernelSide.ts"

const never: Timespec = { sec: 0, nsec: 0 }

/** What a SETATTR may change. */
export interface Changes {
  readonly size?: U64
  readonly mode?: number
  readonly newUid?: number
  readonly newGid?: number
  readonly atime?: Timespec
  readonly mtime?: Timespec
  /** The open file that it is about, with FATTR_FH. */
  readonly fh?: U64
}

/** Sends a SETATTR; `valid` (FATTR_*) says which of the fields it is about. */
export const setattr = <F extends Fault>(
  kernel: KernelSide<F>,
  nodeid: U64,
  valid: number,
  changes: Changes
): Answered<void, F> =>
  Effect.asVoid(
    kernel.call({
      op: "setattr",
      nodeid,
      valid,
      fh: 0,
      size: 0,
      lockOwner: 0,
      atime: never,
      mtime: never,
      ctime: never,
      mode: 0,
      newUid: 0,
      newGid: 0,
      ...changes
    })
  )
