/** What is answered for operations that a backend does not have: as libfuse's low-level API does. */
import { openFlags, type Negotiated, type Open, type Request, type Statfs } from "@bickford/protocol"
import { type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import * as Exit from "effect/Exit"
import { Errno } from "../errno.ts"

/** libfuse's, when a filesystem says nothing. */
const usage: Exit.Exit<Statfs> = Exit.succeed({
  blocks: 0,
  bfree: 0,
  bavail: 0,
  files: 0,
  ffree: 0,
  bsize: 512,
  namelen: 255,
  frsize: 512
})
const opened: Exit.Exit<Open> = Exit.succeed({ fh: 0, openFlags: 0 })

/** The minors from which the kernel takes ENOSYS for "do not ask again": Linux 3.15 for OPEN, 5.1 for OPENDIR. */
const openTakesEnosys = 23
const opendirTakesEnosys = 29

const isForWriting = (flags: number): boolean => (flags & openFlags.O_ACCMODE) !== openFlags.O_RDONLY

type Answers = (row: OpcodeRow, request: Request, negotiated: Negotiated | undefined) => Exit.Exit<unknown, unknown>

/** `has`: whether the backend has a row's operation. With none that changes anything it is read-only, and says so. */
export const makeAbsent = (has: (row: OpcodeRow) => boolean): Answers => {
  const readOnly = !opcodeTable.some((row) => row !== undefined && row.traits.mutates && has(row))
  return (row, request, negotiated) => {
    switch (request.op) {
      case "statfs":
        return usage
      case "release":
      case "releasedir":
        return Exit.void
      case "open":
        if ((negotiated?.minor ?? 0) >= openTakesEnosys) return Errno.ENOSYS
        return readOnly && isForWriting(request.flags) ? Errno.EROFS : opened
      case "opendir":
        return (negotiated?.minor ?? 0) >= opendirTakesEnosys ? Errno.ENOSYS : opened
      default:
        return readOnly && row.traits.mutates ? Errno.EROFS : Errno.ENOSYS
    }
  }
}
