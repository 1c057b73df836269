/** disk.c, compiled and ready to be loaded into a program, and what it recorded, as a disk would have it after a power cut. */
import { appendFileSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "../mount/processes.ts"

const source = join(dirname(fileURLToPath(import.meta.url)), "disk.c")

export interface WatchedDisk {
  /** Files whose path begins with this are watched. */
  readonly prefix: string
  /** While this file is there, the call that it names fails. */
  readonly fault?: string
  /** An existing file, to which every call is appended. */
  readonly record?: string
}

/** Compiles the library into `folder`, and returns the environment of a program that is to be watched. */
export const watching = async (folder: string, { fault, prefix, record }: WatchedDisk): Promise<NodeJS.ProcessEnv> => {
  const library = join(folder, "disk.so")
  await run("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"])
  return {
    ...process.env,
    // What is preloaded already, as a sanitizer's runtime, comes first.
    LD_PRELOAD: [process.env["LD_PRELOAD"] ?? "", library].join(" ").trim(),
    DISK_PREFIX: prefix,
    ...(fault === undefined ? {} : { DISK_FAULT: fault }),
    ...(record === undefined ? {} : { DISK_RECORD: record })
  }
}

export interface DiskCall {
  /** `mark` is a note of the test's own. */
  readonly kind: "write" | "truncate" | "unlink" | "fsync" | "failed fsync" | "mark"
  readonly path: string
  /** Where a write begins, or the size that a file is given. */
  readonly offset: number
  readonly data: Uint8Array
}

const kinds = new Map<string, DiskCall["kind"]>([
  ["w", "write"],
  ["t", "truncate"],
  ["u", "unlink"],
  ["s", "fsync"],
  ["f", "failed fsync"],
  ["m", "mark"]
])

/** RECORD_MAGIC of disk.c. */
const magic = Buffer.from("\xf5disk\xf5\r\n", "latin1")
const headBytes = magic.length + 21

/** Appends a note to a record, after everything that has happened so far. */
export const mark = (record: string, text: string): void => {
  const note = Buffer.from(text)
  const head = Buffer.alloc(headBytes)
  magic.copy(head)
  head.write("m", magic.length, "latin1")
  head.writeUInt32LE(note.length, magic.length + 17)
  appendFileSync(record, Buffer.concat([head, note]))
}

/** The call that begins at `at`, and where it ends; undefined when there is none, or it was cut off. */
const callAt = (bytes: Buffer, at: number): { readonly call: DiskCall; readonly end: number } | undefined => {
  const head = at + magic.length
  if (at + headBytes > bytes.length || bytes.compare(magic, 0, magic.length, at, head) !== 0) return undefined
  const kind = kinds.get(String.fromCharCode(bytes[head] ?? 0))
  if (kind === undefined) return undefined
  const offset = Number(bytes.readBigUInt64LE(head + 1))
  const pathEnd = at + headBytes + bytes.readUInt32LE(head + 17)
  const end = pathEnd + Number(bytes.readBigUInt64LE(head + 9))
  const next = bytes.indexOf(magic, head)
  if (end > bytes.length || (next >= 0 && next < end)) return undefined
  const path = bytes.toString("utf8", at + headBytes, pathEnd)
  return { call: { kind, path, offset, data: bytes.subarray(pathEnd, end) }, end }
}

/**
 * The calls of a record, in order. Each of the processes that were killed while they were watched, `kills`, may have left one
 * record cut off: its call was not made, and is left out.
 */
export const readRecord = (record: string, kills = 0): ReadonlyArray<DiskCall> => {
  const bytes = readFileSync(record)
  const calls: Array<DiskCall> = []
  let cutOff = 0
  for (let at = 0; at < bytes.length;) {
    const found = callAt(bytes, at)
    if (found !== undefined) {
      calls.push(found.call)
      at = found.end
      continue
    }
    if (++cutOff > kills) throw new Error(`the record is broken at ${at}`)
    const next = bytes.indexOf(magic, at + 1)
    at = next < 0 ? bytes.length : next
  }
  return calls
}

/** What a disk can write in one go. */
const sectorBytes = 512

type Content = Uint8Array<ArrayBuffer> | undefined

const resized = (content: Content, size: number): Uint8Array<ArrayBuffer> => {
  const next = new Uint8Array(size)
  next.set((content ?? new Uint8Array(0)).subarray(0, size))
  return next
}

/** Room is made for twice as much, so that files that grow by little are not copied each time. */
const written = (content: Content, from: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const length = Math.max(content?.length ?? 0, from + bytes.length)
  const roomy = content !== undefined && content.buffer.byteLength >= length ? content : resized(content, 2 * length)
  const next = new Uint8Array(roomy.buffer, 0, length)
  next.set(bytes, from)
  return next
}

/** Does a call to a file, the parts of a write for which `keeps` is true. */
const applied = (content: Content, { data, kind, offset }: DiskCall, keeps: (sector: number) => boolean): Content => {
  if (kind === "unlink") return undefined
  if (kind === "truncate") return resized(content, offset)
  let next = content
  for (let at = 0; at < data.length;) {
    const sector = Math.floor((offset + at) / sectorBytes)
    const end = Math.min(data.length, (sector + 1) * sectorBytes - offset)
    if (keeps(sector)) next = written(next, offset + at, data.subarray(at, end))
    at = end
  }
  return next
}

interface RecordedFile {
  /** What is on the disk for certain. */
  safe: Content
  /** What was done since, and not synced. */
  pending: Array<DiskCall>
}

/** What becomes of calls that were not synced when the power goes: all are lost, all were done, or chance decides for each sector. */
export type Fate = "lost" | "done" | "torn"

export interface ReplayedDisk {
  readonly apply: (call: DiskCall) => void
  /** The files as they are found after a power cut now. */
  readonly afterPowerCut: (fate: Fate, random: () => number) => ReadonlyMap<string, Uint8Array>
}

/**
 * A disk to which recorded calls are done again. An fsync makes permanent what was done to its file; one that fails has
 * the kernel forget it, as Linux does: those writes never reach the disk unless they are made anew.
 */
export const makeReplayedDisk = (): ReplayedDisk => {
  const files = new Map<string, RecordedFile>()
  const fileOf = (path: string): RecordedFile => {
    const found = files.get(path)
    if (found !== undefined) return found
    const made: RecordedFile = { safe: undefined, pending: [] }
    files.set(path, made)
    return made
  }
  const isDirectory = (path: string): boolean => {
    for (const each of files.keys()) if (dirname(each) === path) return true
    return false
  }
  /** A removal is for good once the directory, or what has the name next, was synced. */
  const syncName = (file: RecordedFile): void => {
    const removed = file.pending.findLastIndex(({ kind }) => kind === "unlink")
    if (removed < 0) return
    file.safe = undefined
    file.pending = file.pending.slice(removed + 1)
  }
  const crashed = ({ pending, safe }: RecordedFile, fate: Fate, random: () => number): Content => {
    let content = safe === undefined ? undefined : new Uint8Array(safe)
    if (fate === "lost") return content
    // How much of this file's had been written back.
    const share = fate === "done" ? 1 : random()
    for (const call of pending) {
      const whole = fate === "done" || random() < share
      // What comes after a change of size that was lost went to blocks that the file never got.
      if (call.kind !== "write" && !whole) return content
      content = applied(
        content,
        call,
        whole ? () => random() < 0.5 + share / 2 || fate === "done" : () => random() < share / 2
      )
    }
    return content
  }
  return {
    apply: (call) => {
      if (call.kind === "mark") return
      if (call.kind === "fsync" && isDirectory(call.path)) {
        for (const [path, file] of files) if (dirname(path) === call.path) syncName(file)
        return
      }
      const file = fileOf(call.path)
      if (call.kind === "fsync") {
        for (const each of file.pending) file.safe = applied(file.safe, each, () => true)
        file.pending = []
      } else if (call.kind === "failed fsync") file.pending = file.pending.filter(({ kind }) => kind !== "write")
      else file.pending.push(call)
    },
    afterPowerCut: (fate, random) => {
      const found = new Map<string, Uint8Array>()
      for (const [path, file] of files) {
        const content = crashed(file, fate, random)
        if (content !== undefined) found.set(path, content)
      }
      return found
    }
  }
}
