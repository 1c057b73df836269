/** `zip`: a zip archive, read by yauzl's reader of its central directory. */
import { fileType } from "@bickford/backends"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type FileHandle, open } from "node:fs/promises"
import { pipeline, Readable } from "node:stream"
import { createInflateRaw } from "node:zlib"
import type { Entry, ZipFile } from "yauzl"
import { archiveBackend, type OpenEntry } from "./archiveBackend.ts"
import { ArchiveIndex } from "./ArchiveIndex.ts"
import { directoryReader } from "./directoryReader.ts"
import { type ArchiveError, archiveError, loaded } from "./errors.ts"
import { openInflated } from "./inflated.ts"
import { range } from "./range.ts"

const unix = 3
const permissions = 0o7777
const deflated = 8
const stored = 0
const encrypted = 1
/** Stands for an entry that nobody here can read. */
const unreadable = 0xffff
const localHeader = { bytes: 30, signature: 0x0403_4b50, nameLength: 26, extraLength: 28 }

const load = () => loaded("yauzl", () => import("yauzl"))

/** Type and permissions: Unix's where they are there. */
const modeOf = ({ externalFileAttributes, versionMadeBy }: Entry, name: string): number => {
  const given = versionMadeBy >>> 8 === unix ? externalFileAttributes >>> 16 : 0
  if (name.endsWith("/")) return fileType.dir | (given === 0 ? 0o755 : given & permissions)
  const type = given & 0o170000
  const kept = type === fileType.lnk ? fileType.lnk : fileType.reg
  return kept | (given === 0 ? 0o644 : kept === fileType.lnk ? 0o777 : given & permissions)
}

/** Reads the central directory. */
const indexOf = (
  zip: ZipFile,
  nameOf: (entry: Entry) => string
): Promise<{ readonly index: ArchiveIndex; readonly left: number }> =>
  new Promise((resolve, reject) => {
    const index = new ArchiveIndex(0)
    let left = 0
    zip.on("error", reject)
    zip.on("end", () => resolve({ index, left }))
    zip.on("entry", (entry: Entry) => {
      const name = nameOf(entry)
      const { compressionMethod: method, generalPurposeBitFlag: flags } = entry
      const readable = (flags & encrypted) === 0 && (method === stored || method === deflated)
      const entered = index.enter(name, {
        mode: modeOf(entry, name),
        mtime: entry.getLastModDate().getTime() / 1000,
        size: entry.uncompressedSize,
        place: entry.relativeOffsetOfLocalHeader,
        stored: entry.compressedSize,
        crc: entry.crc32,
        method: readable ? method : unreadable
      })
      if (!entered) left++
      zip.readEntry()
    })
    zip.readEntry()
  })

const readHeader = async (file: FileHandle, position: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(localHeader.bytes)
  const { bytesRead } = await file.read(buffer, 0, localHeader.bytes, position)
  if (bytesRead < localHeader.bytes) throw new Error("it lies beyond the archive's end")
  if (buffer.readUInt32LE(0) !== localHeader.signature) throw new Error("its header is damaged")
  return buffer
}

const opener =
  (file: FileHandle, fileSize: number, index: ArchiveIndex) =>
  (at: number): OpenEntry => {
    const entry = index.get(at)
    return openInflated(entry, async () => {
      if (entry.method === unreadable) throw Errno.ENOTSUP
      if (entry.size === 0 && entry.stored === 0) return Readable.from([])
      const header = await readHeader(file, entry.place)
      const data =
        entry.place +
        localHeader.bytes +
        header.readUInt16LE(localHeader.nameLength) +
        header.readUInt16LE(localHeader.extraLength)
      if (data + entry.stored > fileSize) throw new Error("it lies beyond the archive's end")
      const raw = range(file, data, data + entry.stored)
      return entry.method === deflated ? pipeline(raw, createInflateRaw(), () => undefined) : raw
    })
  }

/**
 * Serves a zip archive, read-only: its directory is read when it is opened, an entry when somebody reads it. Files of up to 16 MiB are
 * checked against their checksum before a byte is given, larger ones when their end is read: EIO, and a line in the log that
 * names the entry. Encrypted entries are EOPNOTSUPP. Needs the package `yauzl`.
 */
export const zip = (path: string): Effect.Effect<Backend, ArchiveError, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (error: unknown): ArchiveError => archiveError(path, error)
    const yauzl = yield* Effect.tryPromise({ try: load, catch: failed })
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false } as const
    const file = yield* Effect.acquireRelease(Effect.tryPromise({ try: () => open(path), catch: failed }), (opened) =>
      Effect.promise(() => opened.close())
    )
    const { size } = yield* Effect.tryPromise({ try: () => file.stat(), catch: failed })
    const archive = yield* Effect.tryPromise({
      try: () => yauzl.fromRandomAccessReaderPromise(directoryReader(yauzl, file), size, options),
      catch: failed
    })
    const nameOf = ({ extraFields, fileNameRaw, generalPurposeBitFlag }: Entry): string =>
      yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false)
    const { index, left } = yield* Effect.tryPromise({ try: () => indexOf(archive, nameOf), catch: failed })
    if (left > 0) yield* Effect.logWarning(`${path}: ${left} entries have names that cannot be, and are left out`)
    return archiveBackend(path, { index, open: opener(file, size, index) })
  })
