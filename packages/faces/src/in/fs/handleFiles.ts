/** Open files of a filesystem that has handles. */
import { described, openFlags } from "@bickford/protocol"
import type { FsHandle, FsLike, Maybe } from "./FsLike.ts"
import { attributesOf } from "./attributes.ts"
import { type Kept, type KeptAttributes, outdate, withKept } from "./kept.ts"
import { chain } from "./maybe.ts"
import type { Opener, OpenFile } from "./OpenFile.ts"

const { O_CREAT, O_EXCL, O_RDWR } = openFlags

/** A count of bytes that a handle answered: a whole number up to `most`; anything else is EIO, and a line in the log. */
const counted = (count: unknown, most: number, what: string): number => {
  if (typeof count === "number" && Number.isInteger(count) && count >= 0 && count <= most) return count
  throw new TypeError(`${what} is ${described(count)}; expected: a whole number from 0 to ${most}`)
}

const readAll = (handle: FsHandle, buffer: Buffer, offset: number): Maybe<Uint8Array> => {
  const from = (at: number): Maybe<Uint8Array> => {
    if (at === buffer.length) return buffer
    return chain(handle.read(buffer, at, buffer.length - at, offset + at), ({ bytesRead }) => {
      const count = counted(bytesRead, buffer.length - at, "bytesRead of read")
      return count === 0 ? buffer.subarray(0, at) : from(at + count)
    })
  }
  return from(0)
}

const writeAll = (handle: FsHandle, data: Buffer, offset: number): Maybe<void> => {
  const from = (at: number): Maybe<void> =>
    at === data.length
      ? undefined
      : chain(handle.write(data, at, data.length - at, offset + at), ({ bytesWritten }) => {
          const count = counted(bytesWritten, data.length - at, "bytesWritten of write")
          if (count === 0) throw Object.assign(new Error("nothing was written"), { code: "EIO" })
          return from(at + count)
        })
  return from(0)
}

const nothing = (): void => undefined
const ignored = (answer: Maybe<unknown>): Maybe<void> => chain(answer, nothing)

/** An open file out of a handle. */
const openFileOf = (handle: FsHandle, kept: Kept | undefined): OpenFile => ({
  // A Buffer that has no zeroes written first: only what was read into it is given on.
  read: (size, offset) => readAll(handle, Buffer.allocUnsafeSlow(size), offset),
  write: (data, offset) => {
    outdate(kept)
    return writeAll(handle, Buffer.from(data.buffer, data.byteOffset, data.length), offset)
  },
  truncate: (size) => {
    outdate(kept)
    return ignored(handle.truncate(size))
  },
  flush: nothing,
  sync: () => (handle.sync === undefined ? undefined : ignored(handle.sync())),
  close: () => ignored(handle.close()),
  attributes: () => chain(handle.stat({ bigint: true }), (stats) => withKept(attributesOf(stats), kept)),
  kept,
  chmod: handle.chmod && ((mode) => ignored(handle.chmod?.(mode))),
  chown: handle.chown && ((uid, gid) => ignored(handle.chown?.(uid, gid))),
  utimes: handle.utimes && ((atime, mtime) => ignored(handle.utimes?.(atime, mtime)))
})

/** Opens files by `fs.open`. */
export const handleFiles = (
  fs: FsLike,
  open: NonNullable<FsLike["open"]>,
  kept: KeptAttributes | undefined
): Opener => {
  const keptOf = (path: string): Kept | undefined => {
    if (kept === undefined) return undefined
    const known = kept.get(path) ?? {}
    kept.set(path, known)
    return known
  }
  const opened = (path: string, flags: number, mode?: number): Maybe<OpenFile> =>
    chain(open.call(fs, path, flags, mode), (handle) => openFileOf(handle, keptOf(path)))

  return {
    open: (path, accessMode) => opened(path, accessMode),
    // Who makes a file may write to it, whatever its mode, which is set afterwards: not all filesystems know that.
    make: (path, mode, accessMode, exclusive) =>
      opened(path, O_CREAT | (exclusive ? O_EXCL : 0) | accessMode, mode | 0o600),
    truncate: (path, size) => {
      outdate(kept?.get(path))
      if (fs.truncate !== undefined) return ignored(fs.truncate(path, size))
      return chain(open.call(fs, path, O_RDWR), (handle) => chain(handle.truncate(size), () => ignored(handle.close())))
    },
    sizeOf: () => undefined,
    moved: nothing,
    removed: nothing
  }
}
