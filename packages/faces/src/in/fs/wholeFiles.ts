/**
 * Open files of a filesystem that has no handles: each is read whole when it is first looked into, and written back when it is
 * closed or synced. All who have a file open share its bytes.
 */
import { fileType } from "@bickford/backends"
import { Errno } from "@bickford/session"
import type { FsLike, Maybe } from "./FsLike.ts"
import { type KeptAttributes, outdate } from "./kept.ts"
import { chain, isLater } from "./maybe.ts"
import type { Opener, OpenFile } from "./OpenFile.ts"
import { PathMap } from "./PathMap.ts"

/** The bytes of a file that is open. `buffer` has room for more than `size`. */
interface Content {
  buffer: Uint8Array
  size: number
  /** It differs from what the filesystem has. */
  dirty: boolean
  /** The buffer is not the filesystem's. */
  owned: boolean
}

/** A file that is open at least once. */
interface WholeFile {
  content: Maybe<Content> | undefined
  users: number
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? Buffer.from(data) : data)

/** More bytes than this no buffer of Node's holds at once. */
const mostBytes = 2 ** 32

/** Sets the size, with zeroes where there was nothing. */
const resize = (content: Content, size: number): void => {
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

/** Opens files by `readFile` and `writeFile`. */
export const wholeFiles = (fs: FsLike, kept: KeptAttributes | undefined): Opener => {
  const files = new PathMap<WholeFile>()

  const load = (file: WholeFile, path: string | undefined): Maybe<Content> => {
    if (file.content !== undefined) return file.content
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

  const save = (file: WholeFile, path: string | undefined): Maybe<void> => {
    const { content } = file
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

  const fileAt = (path: string): WholeFile => {
    const known = files.get(path) ?? { content: undefined, users: 0 }
    files.set(path, known)
    return known
  }

  /** The bytes of a file before they are changed: what was read may be the filesystem's own. */
  const changing = (content: Content): Content => {
    if (!content.owned) content.buffer = content.buffer.slice()
    content.owned = true
    content.dirty = true
    return content
  }

  const openFileOf = (file: WholeFile, opened: string): OpenFile => {
    let present: string | undefined = opened
    file.users++
    return {
      read: (size, offset) =>
        chain(load(file, present), ({ buffer, size: end }) =>
          buffer.subarray(Math.min(offset, end), Math.min(offset + size, end))
        ),
      write: (data, offset) =>
        chain(load(file, present), (loaded) => {
          const content = changing(loaded)
          if (present !== undefined) outdate(kept?.get(present))
          if (offset + data.length > content.size) resize(content, offset + data.length)
          content.buffer.set(data, offset)
        }),
      truncate: (size) => chain(load(file, present), (content) => resize(changing(content), size)),
      flush: (path) => {
        present = path
        return save(file, path)
      },
      sync: (path) => save(file, path),
      close: (path) => {
        present = path
        const saved = save(file, path)
        const letGo = (): void => {
          if (--file.users === 0 && path !== undefined && files.get(path) === file) files.delete(path)
        }
        return isLater(saved) ? saved.finally(letGo) : letGo()
      },
      attributes: () => chain(load(file, present), ({ size }) => ({ mode: fileType.reg | 0o644, size })),
      kept: kept?.get(opened),
      chmod: undefined,
      chown: undefined,
      utimes: undefined
    }
  }

  return {
    open: (path) => openFileOf(fileAt(path), path),
    make: (path, mode, _accessMode, exclusive) => {
      const { writeFile } = fs
      if (writeFile === undefined) throw Errno.EROFS
      const write = (): Maybe<OpenFile> =>
        chain(writeFile.call(fs, path, new Uint8Array(0), { mode }), () => openFileOf(fileAt(path), path))
      if (!exclusive) return write()
      const exists = (): Maybe<boolean> => {
        const failed = (error: unknown): boolean => {
          if (typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT") return false
          throw error
        }
        try {
          const found = chain(fs.stat(path), () => true)
          return isLater(found) ? found.catch(failed) : found
        } catch (error) {
          return failed(error)
        }
      }
      return chain(exists(), (there) => {
        if (there) throw Errno.EEXIST
        return write()
      })
    },
    truncate: (path, size) => {
      const open = files.get(path)
      const file = open ?? { content: undefined, users: 0 }
      return chain(
        size === 0
          ? (file.content ?? { buffer: new Uint8Array(0), size: 0, dirty: true, owned: true })
          : load(file, path),
        (content) => {
          file.content = content
          resize(changing(content), size)
          outdate(kept?.get(path))
          return save(file, path)
        }
      )
    },
    sizeOf: (path) => {
      const content = files.get(path)?.content
      return content === undefined || isLater(content) ? undefined : content.size
    },
    moved: (path, newPath) => files.move(path, newPath),
    removed: (path) => files.delete(path)
  }
}
