/**
 * A folder as it is, and beside every text file NAME a file NAME.words with the number of its words:
 * `npm run example wordcount FOLDER MOUNTPOINT`
 */
import { Errno, fileType, mount, PathFilesystem } from "bickford"
import { constants } from "node:fs"
import { open, readdir, readFile, stat, type FileHandle } from "node:fs/promises"
import { join } from "node:path"

const [source = ".", mountpoint = "mnt"] = process.argv.slice(2)
const suffix = ".words"

/** The text file that a path counts the words of. */
const counted = (path: string): string | undefined =>
  path.endsWith(suffix) ? join(source, path.slice(0, -suffix.length)) : undefined

const count = async (file: string): Promise<Uint8Array> => {
  const words = (await readFile(file, "utf8")).split(/\s+/).filter((word) => word !== "")
  return Buffer.from(`${words.length}\n`)
}

const overlay = PathFilesystem.make<FileHandle | Uint8Array>(
  {
    getattr: async (path) => {
      const file = counted(path)
      if (file === undefined)
        return stat(join(source, path)).then(({ gid, mode, mtime, size, uid }) => ({ mode, size, uid, gid, mtime }))
      if (!(await stat(file)).isFile()) throw Errno.ENOENT
      return { mode: fileType.reg | 0o444, size: (await count(file)).length }
    },
    readdir: async (path) => {
      const entries = await readdir(join(source, path), { withFileTypes: true })
      return entries.flatMap((entry) => (entry.isFile() ? [entry.name, entry.name + suffix] : [entry.name]))
    },
    open: (path, flags) => {
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0) throw Errno.EROFS
      const file = counted(path)
      return file === undefined ? open(join(source, path)) : count(file)
    },
    read: async (handle, size, offset) => {
      if (handle instanceof Uint8Array) return handle.subarray(Number(offset), Number(offset) + size)
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(size), 0, size, Number(offset))
      return buffer.subarray(0, bytesRead)
    },
    release: (handle) => (handle instanceof Uint8Array ? undefined : handle.close())
  },
  { attrTimeout: 0 }
)

const stop = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort())

const mounted = await mount(mountpoint, overlay, { signal: stop.signal })
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
