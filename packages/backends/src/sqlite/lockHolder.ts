/** Who has a file locked: /proc/locks (proc(5)). */
import { readFileSync, statSync } from "node:fs"

/** The id of a process that holds a POSIX lock of the file; undefined when none is known. */
export const lockHolder = (path: string): number | undefined => {
  try {
    const { dev, ino } = statSync(path)
    // The kernel's new_encode_dev, as glibc's dev_t has it for majors below 4096 and minors below 2^20.
    const major = Math.floor(dev / 256) % 4096
    const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256
    const hex = (n: number): string => n.toString(16).padStart(2, "0")
    const place = `${hex(major)}:${hex(minor)}:${ino}`
    for (const line of readFileSync("/proc/locks", "latin1").split("\n")) {
      const [, , , , pid, where] = line.trim().split(/\s+/)
      if (where === place && Number(pid) > 0) return Number(pid)
    }
  } catch {
    // Nothing is known then.
  }
  return undefined
}
