/** The bytes of a file of the base: read from there, but for the chunks that were changed here. */
import type { U64 } from "@bickford/protocol"
import { StoredBytes } from "../sqlite/bytes.ts"
import type { ChunkStore } from "../sqlite/chunkStore.ts"
import { chunksOver, type ContentBelow } from "./chunksOver.ts"

export class MergedBytes extends StoredBytes {
  readonly below: ContentBelow
  readonly #chunks: ChunkStore

  constructor(chunks: ChunkStore, data: number, blocks: number, newId: () => number, below: ContentBelow) {
    super(chunksOver(chunks, below), data, blocks, newId)
    this.below = below
    this.#chunks = chunks
  }

  /** Whether every byte of [0, size) is the base's. */
  isUntouched(size: U64): boolean {
    return this.below.visible() === size && this.#chunks.blocksFrom(this.id, 0).length === 0 && !this.isHeld
  }
}
