/** Reading what can only be read from its beginning: small files whole and checked before a byte is given, large ones as they come. */
import { Errno } from "@bickford/session"
import type { Readable } from "node:stream"
import { crc32 } from "node:zlib"
import type { ArchiveEntry } from "./ArchiveIndex.ts"
import type { OpenEntry } from "./archiveBackend.ts"

/** Files of up to so many bytes are kept in memory while they are open. */
const smallBytes = 16 << 20
/** Bytes of a large file that are kept behind what was read last. */
const keptBehind = 1 << 20

/** A pass over a large file. */
interface Pass {
  readonly parts: AsyncIterator<Buffer>
  readonly stream: Readable
  chunks: Array<Buffer>
  /** Where the first of `chunks` lies, and where the last ends. */
  start: number
  end: number
  crc: number
  over: boolean
}

const wrongSum = (): Error => new Error("its checksum is another one than the archive's directory says")

const readWhole = async (stream: Readable, { crc, size }: ArchiveEntry): Promise<Buffer> => {
  const whole = Buffer.allocUnsafeSlow(size)
  let end = 0
  for await (const part of stream) {
    if (!Buffer.isBuffer(part) || end + part.length > size)
      throw new Error("it is longer than the archive's directory says")
    end += part.copy(whole, end)
  }
  if (end < size) throw new Error("it is shorter than the archive's directory says")
  if (crc32(whole) !== crc) throw wrongSum()
  return whole
}

const take = async (pass: Pass, { crc }: ArchiveEntry): Promise<void> => {
  const next = await pass.parts.next()
  if (next.done === true) {
    pass.over = true
    if (pass.crc !== crc) throw wrongSum()
    return
  }
  pass.crc = crc32(next.value, pass.crc)
  pass.chunks.push(next.value)
  pass.end += next.value.length
}

const begin = (stream: Readable): Pass => ({
  parts: stream[Symbol.asyncIterator](),
  stream,
  chunks: [],
  start: 0,
  end: 0,
  crc: 0,
  over: false
})

/** Lets go what lies far behind `offset`. */
const trim = (pass: Pass, offset: number): void => {
  while (pass.chunks[0] !== undefined && pass.start + pass.chunks[0].length < offset - keptBehind) {
    pass.start += pass.chunks[0].length
    pass.chunks.shift()
  }
}

const readLarge = (entry: ArchiveEntry, begun: () => Promise<Readable>): OpenEntry => {
  let pass: Pass | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false

  const read = async (size: number, offset: number): Promise<Uint8Array> => {
    if (closed) throw Errno.EBADF
    if (pass !== undefined && offset < pass.start) {
      pass.stream.destroy()
      pass = undefined
    }
    const now = (pass ??= begin(await begun()))
    try {
      while (!now.over && now.end < offset + size) {
        await take(now, entry)
        trim(now, offset)
      }
    } catch (error) {
      now.stream.destroy()
      pass = undefined
      throw error
    }
    return Buffer.concat(now.chunks).subarray(offset - now.start, offset - now.start + size)
  }

  return {
    read: (size, offset) => {
      const answer = turn.then(() => read(size, offset))
      turn = answer.catch(() => undefined)
      return answer
    },
    close: () => {
      closed = true
      pass?.stream.destroy()
    }
  }
}

/** Opens an entry whose content `begin` brings from its beginning. */
export const openInflated = (entry: ArchiveEntry, begin: () => Promise<Readable>): OpenEntry => {
  if (entry.size > smallBytes) return readLarge(entry, begin)
  let whole: Promise<Buffer> | undefined
  return {
    read: async (size, offset) => {
      whole ??= begin().then((stream) => readWhole(stream, entry))
      return (await whole).subarray(offset, offset + size)
    },
    close: () => undefined
  }
}
