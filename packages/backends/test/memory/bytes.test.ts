import type { BufferPool } from "../../src/memory/bufferPool.ts"
import { chunkSize, extentSize } from "../../src/memory/extents.ts"
import { Chunks } from "../../src/memory/chunks.ts"
import { testBytes } from "../posix/bytes.ts"

/** Gives buffers that are full of what another file left. */
const pool: BufferPool = {
  take: () => new Uint8Array(chunkSize).fill(0xa5),
  takeZeroed: () => new Uint8Array(chunkSize),
  makeLender: () => () => new Uint8Array(extentSize),
  takeOver: () => undefined,
  give: (bytes) => bytes.fill(0xa5)
}

testBytes(
  () => new Chunks(pool),
  () => undefined,
  300
)
