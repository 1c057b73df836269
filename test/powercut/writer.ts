/**
 * `writer.ts MOUNTPOINT RECORD SEED CLIENT COUNT`: one client of a mounted store. Does its operations in a directory of its
 * own, and marks in the record what it begins and what an fsync has promised it.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import { mark } from "../preload/disk.ts"
import { type ClientOperation, operationsOf } from "./operations.ts"

const [mountpoint = "", record = "", seed = "1", client = "0", count = "100"] = process.argv.slice(2)
const directory = `${seed}-${client}`

const withFile = (path: string, flags: string, use: (fd: number) => void): void => {
  const fd = openSync(path, flags)
  try {
    use(fd)
  } finally {
    closeSync(fd)
  }
}

const act = ({ kind, name, text }: ClientOperation): void => {
  const path = join(mountpoint, directory, name)
  switch (kind) {
    case "mkdir":
      return void mkdirSync(path)
    case "create":
      return withFile(path, "wx", () => {})
    case "append":
      return withFile(path, "a", (fd) => {
        const written = writeSync(fd, text)
        if (written !== text.length) throw new Error(`${path}: wrote ${written} of ${text.length} bytes`)
      })
    case "rename":
      return renameSync(path, join(mountpoint, directory, text))
    case "unlink":
      return unlinkSync(path)
    case "fsync":
      return withFile(path, "r", fsyncSync)
  }
}

for (const [n, operation] of operationsOf(Number(seed) * 100 + Number(client), Number(count)).entries()) {
  mark(record, `begun ${directory} ${n}`)
  act(operation)
  if (operation.kind === "fsync") mark(record, `safe ${directory} ${n}`)
}
