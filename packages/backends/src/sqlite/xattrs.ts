/** The extended attributes of files: a row each, kept in memory with their inode once they were asked for. */
import { type Name, nameFromBytes, nameKey, nameToBytes } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { Inode } from "../posix/inode.ts"
import { putXattr, type Xattrs } from "../posix/xattr.ts"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

export const makeXattrStore = (db: DatabaseSync, transaction: Transaction) => {
  const select = prepareQuery<[name: Uint8Array, value: Uint8Array]>(db, "SELECT name, value FROM xattr WHERE ino = ?")
  const put = db.prepare("INSERT OR REPLACE INTO xattr (ino, name, value) VALUES (?, ?, ?)")
  const remove = db.prepare("DELETE FROM xattr WHERE ino = ? AND name = ?")
  const all = (inode: Inode): Xattrs => {
    if (inode.xattrs !== undefined) return inode.xattrs
    const xattrs: Xattrs = new Map()
    for (const [name, value] of select.all(inode.ino))
      xattrs.set(nameKey(nameFromBytes(name)), { name: nameFromBytes(name), value })
    inode.xattrs = xattrs
    return xattrs
  }
  return {
    all,
    put: (inode: Inode, name: Name, value: Uint8Array): void => {
      transaction.begin()
      put.run(inode.ino, nameToBytes(name), value)
      putXattr(all(inode), name, value)
    },
    remove: (inode: Inode, name: Name): boolean => {
      if (!all(inode).delete(nameKey(name))) return false
      transaction.begin()
      remove.run(inode.ino, nameToBytes(name))
      return true
    }
  }
}
