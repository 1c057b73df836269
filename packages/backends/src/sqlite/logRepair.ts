/** Mending a log that the disk may have lost a part of: finding out whether all of it is there, and writing it anew. */
import { ftruncateSync, readSync, writeSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { type ValidFrames, validFrames } from "./walFrames.ts"

/** Bytes that are written anew in one go. */
const pieceBytes = 1 << 20

/** Writes [0, end) of a file anew with what it holds, so that the kernel writes all of it to the disk again. */
export const rewrite = (fd: number, end: number): void => {
  const buffer = new Uint8Array(Math.min(end, pieceBytes))
  for (let at = 0; at < end;) {
    const read = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
    if (read === 0) return
    for (let done = 0; done < read;) done += writeSync(fd, buffer, done, read - done, at + done)
    at += read
  }
}

/**
 * Makes the check of a log that is open as `fd`: the frames that are there, when they are all that SQLite has written,
 * since one more goes on from them. Undefined when some are lost: then the log is cut where the rest is of no use, so that
 * nothing of it comes into the store when it is closed, and the store is as after a power cut.
 */
export const makeFrameCheck = (db: DatabaseSync, fd: number): (() => ValidFrames | undefined) => {
  // Takes a frame or more of the log. A number that is never given out does no harm; what is as it was is not written.
  const touch = db.prepare("UPDATE server SET nextId = nextId + 1 WHERE id = (SELECT max(id) FROM server)")
  return () => {
    const before = validFrames(fd)
    touch.run()
    const after = validFrames(fd)
    if (after.salt !== before.salt || after.frames > before.frames) return after
    ftruncateSync(fd, before.bytes)
    return undefined
  }
}
