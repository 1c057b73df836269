/** `tar`: a tar archive, plain or compressed, read by tar-stream's reader of headers. */
import { fileType } from "@bickford/backends"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip, createZstdDecompress } from "node:zlib"
import type { Header } from "tar-stream"
import { archiveBackend, type OpenEntry } from "./archiveBackend.ts"
import { ArchiveIndex } from "./ArchiveIndex.ts"
import { type ArchiveError, archiveError, loaded } from "./errors.ts"
import { range } from "./range.ts"

const permissions = 0o7777
const load = () => loaded("tar-stream", () => import("tar-stream"))

/** How a file is compressed, by its first bytes. */
const compressionOf = async (file: FileHandle): Promise<"gzip" | "zstd" | undefined> => {
  const start = Buffer.alloc(4)
  await file.read(start, 0, 4, 0)
  if (start.readUInt16BE(0) === 0x1f8b) return "gzip"
  return start.readUInt32LE(0) === 0xfd2f_b528 ? "zstd" : undefined
}

/** What is compressed cannot be read in its middle: it is unpacked once, into a file that has no name. */
const unpacked = async (path: string, compression: "gzip" | "zstd"): Promise<FileHandle> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-tar-"))
  try {
    const file = await open(join(folder, "tar"), "wx+")
    const expand = compression === "gzip" ? createGunzip() : createZstdDecompress()
    try {
      await pipeline(createReadStream(path), expand, async (parts: AsyncIterable<Buffer>) => {
        for await (const part of parts) await file.appendFile(part)
      })
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const openTar = async (path: string): Promise<FileHandle> => {
  const file = await open(path)
  const compression = await compressionOf(file).catch(async (error: unknown) => {
    await file.close()
    throw error
  })
  if (compression === undefined) return file
  await file.close()
  return unpacked(path, compression)
}

/** A hard link is its target once more. */
const entered = (index: ArchiveIndex, { linkname, mode, mtime, name, size, type }: Header, place: number): boolean => {
  const bits = (mode ?? 0o644) & permissions
  const time = (mtime?.getTime() ?? 0) / 1000
  const plain = { mtime: time, size: 0, place, stored: 0, crc: 0, method: 0 }
  switch (type) {
    case "directory":
      return index.enter(name, { ...plain, mode: fileType.dir | bits })
    case "symlink": {
      const target = linkname ?? ""
      return index.enter(name, { ...plain, mode: fileType.lnk | 0o777, size: Buffer.byteLength(target), target })
    }
    case "link": {
      const at = index.at(linkname ?? "")
      return at !== undefined && !index.isDirectory(at) && index.enter(name, index.get(at))
    }
    case "file":
    case "contiguous-file":
    case null:
    case undefined:
      return index.enter(name, { ...plain, mode: fileType.reg | bits, size: size ?? 0, stored: size ?? 0 })
    default:
      return false
  }
}

const block = 512

/** Reads the headers. */
const indexOf = async (
  file: FileHandle,
  size: number,
  extract: typeof import("tar-stream").extract
): Promise<{ readonly index: ArchiveIndex; readonly left: number }> => {
  const index = new ArchiveIndex(0)
  const reader = extract()
  let left = 0
  let last = "its beginning"
  reader.on("entry", (header, stream, next) => {
    last = header.name
    // Where the entry's own header begins, behind those that only extend it.
    const headerAt: unknown = Reflect.get(stream, "offset")
    if (typeof headerAt !== "number") {
      reader.destroy(new TypeError("tar-stream does not tell where an entry lies"))
      return
    }
    if (!entered(index, header, headerAt + block)) left++
    stream.on("end", next)
    stream.resume()
  })
  await pipeline(range(file, 0, size), reader).catch((error: unknown) => {
    throw new Error(`damaged after ${last}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error
    })
  })
  return { index, left }
}

const opener =
  (file: FileHandle, index: ArchiveIndex) =>
  (at: number): OpenEntry => {
    const { place, size: end } = index.get(at)
    return {
      read: async (size, offset) => {
        const length = Math.max(Math.min(size, end - offset), 0)
        const buffer = Buffer.allocUnsafeSlow(length)
        const { bytesRead } = await file.read(buffer, 0, length, place + offset)
        if (bytesRead < length) throw new Error("it lies beyond the archive's end")
        return buffer
      },
      close: () => undefined
    }
  }

/**
 * Serves a tar archive, read-only, plain or compressed with gzip or zstd. Headers are read when it is opened, files by ranges.
 * A compressed archive is unpacked first, into a file in the temporary directory that has no name. Hard links are files of their own;
 * devices and FIFOs are left out. Needs the package `tar-stream`.
 */
export const tar = (path: string): Effect.Effect<Backend, ArchiveError, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (error: unknown): ArchiveError => archiveError(path, error)
    const { extract } = yield* Effect.tryPromise({ try: load, catch: failed })
    const file = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => openTar(path), catch: failed }),
      (opened) => Effect.promise(() => opened.close())
    )
    const { size } = yield* Effect.tryPromise({ try: () => file.stat(), catch: failed })
    if (size < block) return yield* Effect.fail(failed(new Error("is not a tar archive")))
    const { index, left } = yield* Effect.tryPromise({ try: () => indexOf(file, size, extract), catch: failed })
    if (left > 0) yield* Effect.logWarning(`${path}: ${left} entries cannot be served, and are left out`)
    return archiveBackend(path, { index, open: opener(file, index) })
  })
