/** Finds the process that holds the lock of a store, in /proc/locks (proc(5)). */
import { mountTable } from "@bickford/transport"
import { readFileSync, statSync } from "node:fs"
import { basename, dirname } from "node:path"

/** A process that holds a lock of a store. */
export interface LockHolder {
  readonly pid: number
  /** It serves the store, or changes it: a reader's lock needs no more than the permission to read. */
  readonly writes: boolean
  /** The process in words: `process 12 (node, user 0)`. */
  readonly name: string
}

// sqlite3.h's file format: the bytes that locks lie on.
const lockBytesFirst = 0x40000000
const lockBytesLast = lockBytesFirst + 511

const hex = (n: number): string => n.toString(16).padStart(2, "0")

/** How /proc/locks may write the device of a file: as stat(2) gives it, and as its mount does, which differs on btrfs. */
const devicesOf = (path: string, dev: number): ReadonlySet<string> => {
  // The kernel's new_encode_dev, as glibc's dev_t has it for majors below 4096 and minors below 2^20.
  const devices = new Set([
    `${hex(Math.floor(dev / 256) % 4096)}:${hex((dev % 256) + Math.floor(dev / 2 ** 20) * 256)}`
  ])
  const mounts = mountTable()
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const mount = mounts.findLast(({ mountpoint }) => mountpoint === folder)
    if (mount !== undefined) {
      const [major = 0, minor = 0] = mount.device.split(":").map(Number)
      devices.add(`${hex(major)}:${hex(minor)}`)
    }
    if (mount !== undefined || folder === "/") return devices
  }
}

const describe = (pid: number): string => {
  try {
    // Not its comm, which is that of its first thread.
    const [command = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
    return `process ${pid} (${basename(command)}, user ${statSync(`/proc/${pid}`).uid})`
  } catch {
    return `process ${pid}`
  }
}

/** A process that holds a lock on the bytes that SQLite locks; one that writes, if there is one. Undefined when none is known. */
export const lockHolder = (path: string): LockHolder | undefined => {
  try {
    const { dev, ino } = statSync(path)
    const places = new Set(Array.from(devicesOf(path, dev), (device) => `${device}:${ino}`))
    let reader: LockHolder | undefined
    for (const line of readFileSync("/proc/locks", "latin1").split("\n")) {
      const [, kind, , access, given, place = "", first, last] = line.trim().split(/\s+/)
      const pid = Number(given)
      if ((kind !== "POSIX" && kind !== "OFDLCK") || !places.has(place) || !(pid > 0)) continue
      if (Number(first) > lockBytesLast || (last !== "EOF" && Number(last) < lockBytesFirst)) continue
      const holder: LockHolder = { pid, writes: access === "WRITE", name: describe(pid) }
      if (holder.writes) return holder
      reader ??= holder
    }
    return reader
  } catch {
    // Nothing is known then.
    return undefined
  }
}
