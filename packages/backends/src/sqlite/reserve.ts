/**
 * Room on the disk that a store holds before it needs it, so that removals work where there is no other room.
 *
 * A removal writes to the log, and the log can begin again at its start only when all of it was copied into the store's
 * file. Hence the log holds blocks for more than it is let grow to, and every page that a commit adds to the store has
 * its block before the commit: a checkpoint then needs no room. While nothing serves the store, a file beside it holds
 * the log's blocks, as SQLite removes the log when it closes a store.
 *
 * Blocks are held by fallocate(2). Where the filesystem has none, or copies what it overwrites (btrfs), nothing is promised.
 */
import { errnoNumbers } from "@bickford/protocol"
import { files } from "@bickford/transport"
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  statfsSync,
  unlinkSync
} from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { FALLOC_FL_KEEP_SIZE } from "../posix/linux.ts"
import { StoreFull } from "./errors.ts"
import { prepareQuery } from "./query.ts"
import { walMagic } from "./walFrames.ts"

const pageBytes = 4096
/** Bytes that the log holds. Of a small disk no more than this part. */
const logBytesMax = 8 * 2 ** 20
const logPart = 1 / 8
/** Pages that a store which grows holds beyond those it has: 4 MiB. Of a small disk no more than this part. */
const aheadMax = 1024
const aheadPart = 1 / 32
/**
 * The fewest. Each checkpoint gives back what lies beyond the store's end, and a store that does not grow is spared most
 * of holding it again: with 1024 that took 8 % of the time of making and removing files on a tmpfs.
 */
const aheadMin = 128
/** Free pages within the store that new names and data leave to removals when no more can be held. */
export const sparePages = 16
/** A commit adds no more pages than so many times those that were counted. */
const pagesPerCounted = 4

const { EDQUOT, EFBIG, EINTR, ENOSPC, ENOSYS, ENOTSUP } = errnoNumbers

/** The room that one open store holds. */
export interface Reserve {
  /** Bytes of the log for which blocks are to be held. */
  readonly logBytes: number
  /** Whether the log, and each page of the store, has its blocks. */
  readonly isHeld: () => boolean
  /** Counts pages that a transaction is about to change. */
  readonly counted: (pages: number) => void
  /** Before a commit: sees to it that each page has its block. Throws `StoreFull`. */
  readonly cover: () => void
  /** After a checkpoint, which gives back what lies beyond the end of a file: holds it again. */
  readonly renew: () => void
  /** False when the disk has no room, and new names must leave what is held to removals. */
  readonly hasSpare: () => boolean
  /** Before the database is closed: has a file beside the store hold the log's blocks. */
  readonly leave: () => void
  /** After the database was closed. */
  readonly close: () => void
}

const fileBeside = (path: string): string => `${path}-reserve`

/** Whether a file is what `leave` has left: a log, or nothing yet. */
const isReserve = (path: string): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || !found.isFile()) return false
  const fd = openSync(path, "r")
  try {
    const head = new DataView(new ArrayBuffer(4))
    return readSync(fd, head, 0, 4, 0) === 0 || (head.getUint32(0) & ~1) === walMagic
  } finally {
    closeSync(fd)
  }
}

/** Gives back what an earlier server has left; the log takes it at once. */
const takeOver = (path: string): void => {
  const file = fileBeside(path)
  if (isReserve(file)) unlinkSync(file)
}

/** Lets the file that was left hold no more than `bytes`; only once it is not the log of anybody any more. */
const shorten = (file: string, bytes: number): void => {
  if (!isReserve(file)) return
  const fd = openSync(file, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    const { nlink, size } = fstatSync(fd)
    if (nlink === 1 && size > bytes) ftruncateSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

const attempt = (action: () => void): void => {
  try {
    action()
  } catch {
    // It is a convenience: without it a store on a full disk is only read.
  }
}

/** Of the store whose lock is held and whose log `log` is open on, until `close`: closing a file drops its locks. */
export const openReserve = (db: DatabaseSync, path: string, log: number): Reserve => {
  const pageCount = prepareQuery<[number]>(db, "PRAGMA page_count")
  const freePages = prepareQuery<[number]>(db, "PRAGMA freelist_count")
  const { blocks, bsize } = statfsSync(path)
  const logBytes = Math.floor(Math.min(logBytesMax, blocks * bsize * logPart))
  const aheadMost = Math.floor(Math.min(aheadMax, (blocks * bsize * aheadPart) / pageBytes))
  const aheadLeast = Math.min(aheadMin, aheadMost)
  const store = openSync(path, "r+")

  /** The filesystem cannot hold blocks. */
  let unable = false
  /** Pages of the store's file that have blocks. */
  let held = 0
  /** Pages that the store had when it was last asked, and those that were counted since. */
  let known = 0
  let counted = 0
  /** Pages that the store had after the last checkpoint. */
  let before = 0
  /** The disk had no room for the pages ahead. */
  let tight = false
  let logHeld = false

  /** Has [from, to) of a file hold its blocks, without a change of its size; false when the disk has no room for them. */
  const hold = (fd: number, from: number, to: number): boolean => {
    if (unable || to <= from) return true
    for (;;) {
      const result = files.fs_fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from)
      if (result === -ENOSPC || result === -EDQUOT || result === -EFBIG) return false
      if (result === -ENOTSUP || result === -ENOSYS) unable = true
      // Of any other error the writes that follow will tell.
      if (result !== -EINTR) return true
    }
  }
  const pages = (): number => {
    counted = 0
    return (known = pageCount.get()?.[0] ?? 0)
  }
  const holdAhead = (from: number, needed: number, ahead: number): void => {
    tight = !hold(store, from * pageBytes, (needed + ahead) * pageBytes)
    if (!tight) held = needed + ahead
  }
  const holdLog = (): void => {
    logHeld = fstatSync(log).blocks * 512 >= logBytes || hold(log, 0, logBytes)
  }

  takeOver(path)
  holdLog()
  // What was written is there; what was not, as free pages may be, has no block.
  before = pages()
  holdAhead(0, before, aheadMost)
  if (tight) held = before

  return {
    logBytes,
    isHeld: () => !unable && logHeld,
    counted: (more) => {
      counted += more
    },
    cover: () => {
      if (unable || known + counted * pagesPerCounted <= held) return
      const needed = pages()
      if (needed <= held - aheadLeast / 2) return
      holdAhead(Math.min(held, needed), needed, aheadMost)
      if (needed <= held) return
      if (!hold(store, held * pageBytes, needed * pageBytes))
        throw new StoreFull({ message: `${path}: the disk is full` })
      held = needed
    },
    renew: () => {
      const has = pages()
      held = Math.min(held, has)
      holdLog()
      holdAhead(held, has, Math.min(aheadMost, Math.max(aheadLeast, has - before)))
      before = has
    },
    hasSpare: () => {
      if (!tight) return true
      const has = pages()
      holdAhead(Math.min(held, has), has, aheadLeast)
      return !tight || (freePages.get()?.[0] ?? 0) >= sparePages
    },
    leave: () => attempt(() => linkSync(`${path}-wal`, fileBeside(path))),
    close: () => {
      closeSync(store)
      attempt(() => shorten(fileBeside(path), logBytes))
    }
  }
}
