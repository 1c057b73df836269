/** Pages of a store that are damaged, and the files that have lost something with them. */
import { nameFromBytes } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "./query.ts"

/** More of SQLite's findings, or of files, than this are counted only. */
const shown = 20

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A file's path within the store, as far as its names can be read. */
const pathOf = (db: DatabaseSync, ino: number): string => {
  const names: Array<string> = []
  try {
    const find = prepareQuery<[number, Uint8Array]>(db, "SELECT parent, name FROM entry WHERE ino = ? LIMIT 1")
    for (let at = ino; at !== 1 && names.length < 1000;) {
      const [parent, name] = find.get(at) ?? [1, Buffer.from(`(inode ${at})`)]
      names.unshift(String(nameFromBytes(name)))
      at = parent
    }
  } catch {
    names.unshift(`(inode ${ino})`)
  }
  return `/${names.join("/")}`
}

/** Reads the content of every file; those that cannot be read whole. */
const unreadable = (db: DatabaseSync): ReadonlyArray<number> => {
  const content = prepareQuery(
    db,
    "SELECT bytes FROM chunk WHERE data = ? AND position >= ? ORDER BY position LIMIT 64"
  )
  const bounds = prepareQuery<[number | null]>(db, "SELECT max(position) FROM chunk WHERE data = ?")
  const files: Array<number> = []
  const list = db.prepare("SELECT ino, data FROM inode WHERE data IS NOT NULL")
  list.setReturnArrays(true)
  for (const row of list.iterate()) {
    const [ino, data] = row as unknown as [number, number]
    try {
      const last = bounds.get(data)?.[0] ?? -1
      for (let position = 0; position <= last; position += 64) content.all(data, position)
    } catch {
      files.push(ino)
    }
  }
  return files
}

/** Has SQLite look at every page. What it finds wrong only a new store can put right. */
export const checkPages = (db: DatabaseSync, path: string, report: (what: string, repair: string) => void): void => {
  const advice = `keep a copy of ${path} and ${path}-wal; restore a backup, or make a new store of what can be read with "sqlite3 ${path} .recover"`
  // One row may hold many lines, the first of which names the database.
  const found = prepareQuery<[string]>(db, "PRAGMA integrity_check")
    .all()
    .flatMap(([said]) => said.split("\n"))
    .filter((said) => said !== "ok" && !said.startsWith("***"))
  for (const said of found.slice(0, shown)) report(`SQLite: ${path} is damaged: ${said}`, advice)
  if (found.length === 0) return
  if (found.length > shown) report(`... and ${found.length - shown} more like this`, advice)
  try {
    const files = unreadable(db)
    for (const ino of files.slice(0, shown))
      report(`file ${pathOf(db, ino)} cannot be read whole`, "restore it from a backup")
    if (files.length > shown) report(`... and ${files.length - shown} files more`, "restore them from a backup")
  } catch (error) {
    report(`which files are harmed cannot be told: ${messageOf(error)}`, advice)
  }
}
