/** FALLOCATE: allocates, punches holes and writes zeros (fallocate(2)). */
import { add, fileSizeMax } from "@bickford/protocol/arithmetic"
import { type Backend, Errno } from "@bickford/session"
import { contentChanged } from "./content.ts"
import { done, type Filesystem, notRegular } from "./filesystem.ts"
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from "./linux.ts"

export const fallocate =
  (fs: Filesystem): NonNullable<Backend["fallocate"]> =>
  ({ length, mode, nodeid, offset }) => {
    const inode = fs.node(nodeid)
    const refused = notRegular(inode)
    if (refused !== undefined || inode === undefined) return refused ?? Errno.ESTALE
    if (length <= 0) return Errno.EINVAL
    const end = add(offset, length)
    if (end > fileSizeMax) return Errno.EFBIG
    const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0
    const action = mode & ~FALLOC_FL_KEEP_SIZE
    const chunks = fs.bytes(inode)
    if (action === FALLOC_FL_PUNCH_HOLE) {
      if (!keepSize) return Errno.ENOTSUP
      // The last block has nothing to keep beyond the end of the file.
      chunks.punch(offset, end >= inode.size ? undefined : end)
    } else if (action === FALLOC_FL_ZERO_RANGE || action === 0) {
      if (chunks.missing(offset, end) > fs.usage.room(inode.uid)) return fs.usage.noRoom(inode.uid)
      if (action === FALLOC_FL_ZERO_RANGE) chunks.zero(offset, end)
      chunks.allocate(offset, end)
      if (!keepSize && end > inode.size) inode.size = end
    } else return Errno.ENOTSUP
    fs.recount(inode, chunks)
    contentChanged(fs, inode)
    return done
  }
