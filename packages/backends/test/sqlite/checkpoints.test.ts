import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, onTestFinished, test } from "vitest"
import { makeCheckpoints } from "../../src/sqlite/checkpoints.ts"
import type { Reserve } from "../../src/sqlite/reserve.ts"

const reserve: Reserve = {
  logBytes: 8 * 2 ** 20,
  isHeld: () => true,
  counted: () => {},
  cover: () => {},
  renew: () => {},
  hasSpare: () => true,
  leave: () => {},
  close: () => {}
}

// SQLite before 3.51, in Node 22, cannot tell how long its log is.
const [, minor = 0] = (process.versions["sqlite"] ?? "").split(".").map(Number)

test.runIf(minor >= 51)("a log is long when it is, whatever was counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "bickford-checkpoints-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const db = new DatabaseSync(join(folder, "store"))
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
  db.exec("CREATE TABLE row (id INTEGER PRIMARY KEY, bytes BLOB)")
  const log = openSync(join(folder, "store-wal"), "r+")
  onTestFinished(() => closeSync(log))
  const checkpoints = makeCheckpoints(db, log, reserve)
  const bytes = new Uint8Array(65536)
  const put = db.prepare("INSERT OR REPLACE INTO row VALUES (1, ?)")
  const update = db.prepare("UPDATE row SET bytes = ? WHERE id = 1")
  put.run(bytes)
  // Each changes two of 17 pages.
  let changes = 0
  while (!checkpoints.isLong() && changes < 1000) {
    bytes[100] = ++changes
    bytes[101] = changes >>> 8
    checkpoints.counted(17)
    update.run(bytes)
  }
  const frames = db.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.["log"]
  expect(frames).toBeGreaterThanOrEqual(900)
  expect(frames).toBeLessThanOrEqual(1000)
  checkpoints.run()
  expect(checkpoints.isLong()).toBe(false)
})
