/** A file's content in a file without a name, as it came in one answer. */
import { mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Snapshot } from "./pins.ts"

/** Takes all that `pieces` brings. */
export const takeSnapshot = async (pieces: AsyncIterable<Uint8Array>): Promise<Snapshot> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-snapshot-"))
  const file = await open(join(folder, "content"), "wx+", 0o600).finally(() =>
    rm(folder, { recursive: true, force: true })
  )
  try {
    let size = 0
    for await (const piece of pieces) {
      await file.write(piece, 0, piece.length, size)
      size += piece.length
    }
    return {
      size,
      read: async (offset, length) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(length, Math.max(0, size - offset))), {
          position: offset
        })
        return buffer.subarray(0, bytesRead)
      },
      close: () => file.close()
    }
  } catch (error) {
    await file.close()
    throw error
  }
}
