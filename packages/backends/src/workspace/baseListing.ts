/** Reads the entries of a directory of the base, all at once (getdents64(2)). */
import { type Name, nameFromBytes, ownName, type U64 } from "@bickford/protocol"
import { getU64 } from "@bickford/protocol/codec"
import { files } from "@bickford/transport"

/** One name in a base directory. */
export interface BaseEntry {
  readonly name: Name
  readonly ino: U64
  /** As in a dirent: `S_IFMT` of the mode, shifted down by 12. */
  readonly type: number
}

/** `struct linux_dirent64`: where its fields are. */
const lengthAt = 16
const typeAt = 18
const nameAt = 19

const room = Buffer.alloc(64 * 1024)
const view = new DataView(room.buffer, room.byteOffset, room.length)

const isDot = (name: Name): boolean => name === "." || name === ".."

/** The entries of an open directory but `.` and `..`, or a negative errno. */
export const readEntries = (fd: number): ReadonlyArray<BaseEntry> | number => {
  const entries: Array<BaseEntry> = []
  for (;;) {
    const length = files.fs_list(fd, -1, room)
    if (length < 0) return length
    if (length === 0) return entries
    for (let at = 0; at < length; at += view.getUint16(at + lengthAt, true)) {
      const start = at + nameAt
      const name = nameFromBytes(room, start, room.indexOf(0, start))
      if (!isDot(name)) entries.push({ name: ownName(name), ino: getU64(view, at), type: view.getUint8(at + typeAt) })
    }
  }
}
