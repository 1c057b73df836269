/** The bytes of a file that is open: read whole, changed in memory, written back whole. */
import { Errno } from "@bickford/session"
import type { FsLike, Maybe } from "./FsLike.ts"
import { chain, isLater } from "./maybe.ts"

/** The bytes of a file that is open. `buffer` has room for more than `size`. */
export interface Content {
  buffer: Uint8Array
  size: number
  /** It differs from what the filesystem has. */
  dirty: boolean
  /** The buffer is not the filesystem's. */
  owned: boolean
}

/** A file that is open at least once. */
export interface WholeFile {
  /** Where it is now; undefined once it is removed. */
  path: string | undefined
  content: Maybe<Content> | undefined
  users: number
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? Buffer.from(data) : data)

/** More bytes than this no buffer of Node's holds at once. */
const mostBytes = 2 ** 32

/** Sets the size, with zeroes where there was nothing. */
export const resize = (content: Content, size: number): void => {
  if (size > mostBytes) throw Errno.EFBIG
  if (size > content.buffer.length) {
    const grown = new Uint8Array(
      Math.max(size, Math.min(content.buffer.length * 2, content.buffer.length + (64 << 20)))
    )
    grown.set(content.buffer.subarray(0, content.size))
    content.buffer = grown
  } else if (size < content.size) content.buffer.fill(0, size, content.size)
  content.size = size
  content.dirty = true
}

/** The bytes of a file before they are changed: what was read may be the filesystem's own. */
export const changing = (content: Content): Content => {
  if (!content.owned) content.buffer = content.buffer.slice()
  content.owned = true
  content.dirty = true
  return content
}

/** Reads a file, unless its bytes are there. */
export const load = (fs: FsLike, file: WholeFile): Maybe<Content> => {
  if (file.content !== undefined) return file.content
  const { path } = file
  if (path === undefined) throw Errno.ENOENT
  const content = chain(fs.readFile(path), (data): Content => {
    const bytes = bytesOf(data)
    const known: Content = { buffer: bytes, size: bytes.length, dirty: false, owned: false }
    file.content = known
    return known
  })
  file.content = content
  // What could not be read is tried again by the next who looks.
  if (isLater(content)) void content.catch(() => (file.content = undefined))
  return content
}

/** Writes a file back, if it was changed. */
export const save = (fs: FsLike, file: WholeFile): Maybe<void> => {
  const { content, path } = file
  if (content === undefined || isLater(content) || !content.dirty || path === undefined) return undefined
  if (fs.writeFile === undefined) throw Errno.EROFS
  content.dirty = false
  // A copy: the filesystem may keep what it is given.
  const data = content.buffer.slice(0, content.size)
  const failed = (error: unknown): never => {
    content.dirty = true
    throw error
  }
  try {
    const written = fs.writeFile(path, data)
    return isLater(written) ? written.then(() => undefined, failed) : undefined
  } catch (error) {
    return failed(error)
  }
}
