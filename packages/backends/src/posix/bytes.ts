/** The bytes of a regular file, sparse. The unit of allocation is a block of 4096 bytes; the size is the inode's. */
import type { Data, U64 } from "@bickford/protocol"

export interface Bytes {
  /** Allocated blocks of 4096 bytes. */
  readonly blocks: number
  /** The bytes from `offset`, which stay as they are until the next operation. */
  readonly read: (offset: U64, size: number) => Data
  /** Writes `data` at `offset`: copied once. */
  readonly write: (offset: U64, data: Uint8Array) => void
  /** How many blocks writing or allocating [offset, end) would add. */
  readonly missing: (offset: U64, end: U64) => number
  /** How many bytes from `offset`, of `size`, can be written when `room` blocks may be added. */
  readonly fitting: (offset: U64, size: number, room: number) => number
  /** Allocates every block that [offset, end) touches. */
  readonly allocate: (offset: U64, end: U64) => void
  /** Makes [offset, end) zero; blocks that lie wholly in it are given back. `end` undefined: all the rest. */
  readonly punch: (offset: U64, end: U64 | undefined) => void
  /** Makes [offset, end) zero and gives nothing back. */
  readonly zero: (offset: U64, end: U64) => void
  /** The first allocated byte at `offset` or after it. */
  readonly data: (offset: U64) => U64 | undefined
  /** The first byte at `offset` or after it that is not allocated; `end`, when there is none before it. */
  readonly hole: (offset: U64, end?: U64) => U64
}
