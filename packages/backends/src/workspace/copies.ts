/**
 * Copies of a branch's store, which are forks and checkpoints. A copy holds all that differs from the base, so it is looked
 * into as fast as the first one is, however long the line of its ancestors, none of which it needs. On filesystems
 * that share blocks between files (btrfs, XFS) a copy takes none of its own.
 */
import { files } from "@bickford/transport"
import { randomBytes } from "node:crypto"
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { OpenStore } from "../sqlite/open.ts"

/** The ending of a copy that is not complete: the process that makes it, and a random number. */
export const unfinished = (target: string): string => `${target}.new-${process.pid}-${randomBytes(4).toString("hex")}`

export const syncDirectory = (path: string): void => {
  const fd = openSync(dirname(path), "r")
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Copies an open file's bytes by the kernel. Throws an error with its errno. */
export const copyBytes = async (from: number, to: number): Promise<void> => {
  const { size } = fstatSync(from)
  for (let done = 0; done < size;) {
    const count = await files.fs_copy(from, done, to, done, size - done)
    if (count < 0) throw new Error(`copy_file_range failed (errno ${-count})`)
    if (count === 0) throw new Error("the store became shorter while it was copied")
    done += count
  }
}

/** Copies an open file to `target`, all of it or nothing. Throws an error with the code EEXIST where that is there. */
const copyTo = async (source: number, target: string): Promise<void> => {
  const made = unfinished(target)
  const fd = openSync(made, "wx", 0o600)
  try {
    await copyBytes(source, fd)
    fsyncSync(fd)
    linkSync(made, target)
  } finally {
    closeSync(fd)
    rmSync(made, { force: true })
  }
  syncDirectory(target)
}

/** Copies a checkpoint, which nobody has open or writes to, to `target`. */
export const copyCheckpoint = async (path: string, target: string): Promise<void> => {
  const source = openSync(path, "r")
  try {
    await copyTo(source, target)
  } finally {
    closeSync(source)
  }
}

/**
 * Makes copies of an open store. Its file is opened once, and is closed by `close` only, after the store: closing any
 * descriptor of a file drops the locks that the process has on it (fcntl(2)).
 */
export const makeCopier = () => {
  let source = -1
  return {
    /** Copies the store, which has no transaction open, to `target`. */
    copy: async ({ db, path }: OpenStore, target: string): Promise<void> => {
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      if (source < 0) source = openSync(path, "r")
      await copyTo(source, target)
    },
    close: (): void => {
      if (source >= 0) closeSync(source)
    }
  }
}

export type Copier = ReturnType<typeof makeCopier>
