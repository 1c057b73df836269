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
import { changing, load, resize, save, type WholeFile } from "./wholeContent.ts"

const exists = (fs: FsLike, path: string): Maybe<boolean> => {
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

/** Opens files by `readFile` and `writeFile`. */
export const wholeFiles = (fs: FsLike, kept: KeptAttributes | undefined): Opener => {
  const files = new PathMap<WholeFile>()

  const fileAt = (path: string): WholeFile => {
    const known = files.get(path) ?? { path, content: undefined, users: 0 }
    files.set(path, known)
    return known
  }

  const openFileOf = (file: WholeFile, opened: string): OpenFile => {
    file.users++
    return {
      read: (size, offset) =>
        chain(load(fs, file), ({ buffer, size: end }) =>
          buffer.subarray(Math.min(offset, end), Math.min(offset + size, end))
        ),
      write: (data, offset) =>
        chain(load(fs, file), (loaded) => {
          const content = changing(loaded)
          if (file.path !== undefined) outdate(kept?.get(file.path))
          if (offset + data.length > content.size) resize(content, offset + data.length)
          content.buffer.set(data, offset)
        }),
      truncate: (size) => chain(load(fs, file), (content) => resize(changing(content), size)),
      flush: () => save(fs, file),
      sync: () => save(fs, file),
      close: () => {
        const saved = save(fs, file)
        const letGo = (): void => {
          const { path } = file
          if (--file.users === 0 && path !== undefined && files.get(path) === file) files.delete(path)
        }
        return isLater(saved) ? saved.finally(letGo) : letGo()
      },
      attributes: () => chain(load(fs, file), ({ size }) => ({ mode: fileType.reg | 0o644, size })),
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
      return chain(exists(fs, path), (there) => {
        if (there) throw Errno.EEXIST
        return write()
      })
    },
    truncate: (path, size) => {
      const open = files.get(path)
      const file = open ?? { path, content: undefined, users: 0 }
      return chain(
        size === 0
          ? (file.content ?? { buffer: new Uint8Array(0), size: 0, dirty: true, owned: true })
          : load(fs, file),
        (content) => {
          file.content = content
          resize(changing(content), size)
          outdate(kept?.get(path))
          return save(fs, file)
        }
      )
    },
    sizeOf: (path) => {
      const content = files.get(path)?.content
      return content === undefined || isLater(content) ? undefined : content.size
    },
    keep: (path) => {
      const file = files.get(path)
      return file === undefined ? undefined : chain(load(fs, file), () => undefined)
    },
    moved: (path, newPath) => {
      const replaced = files.get(newPath)
      files.move(path, newPath)
      if (replaced !== undefined && files.get(newPath) !== replaced) replaced.path = undefined
      for (const [at, file] of files.entries()) file.path = at
    },
    removed: (path) => {
      const file = files.get(path)
      if (file !== undefined) file.path = undefined
      files.delete(path)
    }
  }
}
