/**
 * The rows that tell where inodes of the branch come from: of each base file that was changed here, where it lies in the
 * base, and how it was when it was first changed. A commit compares the base with that.
 */
import type { U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import type { DatabaseSync } from "node:sqlite"
import type { Identity } from "../passthrough/attributes.ts"
import { prepareQuery } from "../sqlite/query.ts"
import type { Transaction } from "../sqlite/transaction.ts"
import type { Version } from "./baseNode.ts"

/** Where an inode comes from. */
export interface Origin {
  readonly ino: number
  /** From the base directory on. */
  readonly path: Uint8Array
  readonly identity: Identity
  readonly version: Version
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes from the start that are the base's, where no chunk is stored. */
  readonly visible: U64
}

type Row = readonly [
  ino: bigint,
  path: Uint8Array,
  device: bigint,
  base: string,
  birth: number,
  mode: bigint,
  uid: bigint,
  gid: bigint,
  size: bigint,
  mtime: bigint,
  mtimeNsec: bigint,
  ctime: bigint,
  ctimeNsec: bigint,
  visible: bigint
]

const columns = "ino, path, device, base, birth, mode, uid, gid, size, mtime, mtimeNsec, ctime, ctimeNsec, visible"

const originOf = (
  rootDevice: number,
  [ino, path, device, base, birth, mode, uid, gid, size, mtime, mn, ctime, cn, visible]: Row
): Origin => ({
  ino: Number(ino),
  path,
  identity: { device: device === 0n ? rootDevice : Number(device), ino: normal(BigInt(base)), birth },
  version: {
    size: normal(size),
    mtime: { sec: normal(mtime), nsec: Number(mn) },
    ctime: { sec: normal(ctime), nsec: Number(cn) }
  },
  mode: Number(mode),
  uid: Number(uid),
  gid: Number(gid),
  visible: normal(visible)
})

/** Reads all origins of a branch, by path. */
export const allOrigins = (db: DatabaseSync, rootDevice: number): ReadonlyArray<Origin> =>
  prepareQuery<Row>(db, `SELECT ${columns} FROM origin ORDER BY path`, true)
    .all()
    .map((row) => originOf(rootDevice, row))

/**
 * The origins of a branch. `rootDevice` is the device of the base directory, which may have another number each time that it
 * is mounted: 0 stands for it.
 */
export const makeOrigins = (db: DatabaseSync, transaction: Transaction, rootDevice: number) => {
  const shown = (device: number): number => (device === rootDevice ? 0 : device)
  const select = prepareQuery<Row>(db, `SELECT ${columns} FROM origin WHERE ino = ?`, true)
  const all = prepareQuery<[number]>(db, "SELECT ino FROM origin")
  const insert = db.prepare(`INSERT INTO origin (${columns}) VALUES (${"?, ".repeat(13)}?)`)
  const remove = db.prepare("DELETE FROM origin WHERE ino = ?")
  const bury = db.prepare(
    "INSERT OR REPLACE INTO gone SELECT ino, base, birth, size, mtime, mtimeNsec, ctime, ctimeNsec FROM origin WHERE ino = ?"
  )
  const buried = prepareQuery<[base: string, birth: number]>(db, "SELECT base, birth FROM gone WHERE ino = ?")
  const buryUnchanged = db.prepare("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
  const removeEntries = db.prepare("DELETE FROM entry WHERE parent = ?")
  const setVisible = db.prepare("UPDATE origin SET visible = ? WHERE ino = ?")
  const findNumber = prepareQuery<[number]>(db, "SELECT ino FROM number WHERE device = ? AND base = ? AND birth = ?")
  const addNumber = db.prepare("INSERT INTO number (device, base, birth, ino) VALUES (?, ?, ?, ?)")
  let stored = new Set<number>()

  const load = (): void => {
    stored = new Set(all.all().map(([ino]) => ino))
  }
  load()

  return {
    has: (ino: number): boolean => stored.has(ino),
    get: (ino: number): Origin | undefined => {
      const row = stored.has(ino) ? select.get(ino) : undefined
      return row && originOf(rootDevice, row)
    },
    add: ({ ino, path, identity, version, mode, uid, gid, visible }: Origin): void => {
      const { ctime, mtime, size } = version
      transaction.begin()
      insert.run(
        ino,
        path,
        shown(identity.device),
        String(identity.ino),
        identity.birth,
        mode,
        uid,
        gid,
        size,
        mtime.sec,
        mtime.nsec,
        ctime.sec,
        ctime.nsec,
        visible
      )
      stored.add(ino)
    },
    /** Notes how a base file was that is removed here, and never had a row. */
    bury: (ino: number, { birth, ino: base }: Identity, { ctime, mtime, size }: Version): void => {
      transaction.begin()
      buryUnchanged.run(ino, String(base), birth, size, mtime.sec, mtime.nsec, ctime.sec, ctime.nsec)
    },
    /** Tells whether a base file was removed here, and has no row. */
    isBuried: (ino: number, identity: Identity): boolean => {
      const row = stored.has(ino) ? undefined : buried.get(ino)
      return row !== undefined && row[0] === String(identity.ino) && row[1] === identity.birth
    },
    /** Removes an inode's origin, and what was said of the names of a base directory. */
    remove: (ino: number): void => {
      if (!stored.delete(ino)) return
      transaction.begin()
      bury.run(ino)
      remove.run(ino)
      removeEntries.run(ino)
    },
    setVisible: (ino: number, visible: U64): void => {
      if (!stored.has(ino)) return
      transaction.begin()
      setVisible.run(visible, ino)
    },
    /** The number that a base file has been given whose own cannot be used. */
    numberOf: ({ birth, device, ino }: Identity, newId: () => number): number => {
      const base = String(ino)
      const known = findNumber.get(shown(device), base, birth)?.[0]
      if (known !== undefined) return known
      const given = newId()
      transaction.begin()
      addNumber.run(shown(device), base, birth, given)
      return given
    },
    /** After a rollback. */
    reload: load
  }
}

export type Origins = ReturnType<typeof makeOrigins>
