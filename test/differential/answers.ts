/** What of a call's answer must be the same everywhere. */
import type { Result } from "../conformance/driver.ts"

/** Numbers a filesystem is free to choose, and times of reading, which are kept as a mount option has it. */
const free = new Set(["ino", "dev", "blocks", "blksize", "atime", "pid"])

/** A time that was set is compared; that of a change is some time since the tests began. */
const timeOf = (text: string): string => (/^1[789]\d{8}\./.test(text) ? "now" : text)

export const comparable = (line: string, { errno, fields }: Result): string => {
  // A mount may forbid devices (nodev) where a folder has none for that number.
  if (errno === "ENXIO" && /^(open|openat|get|put) /.test(line)) return "EACCES"
  if (errno !== undefined) return errno
  const parts: Array<string> = []
  for (const [name, text] of Object.entries(fields)) {
    if (free.has(name)) continue
    // A directory's size is its filesystem's own affair.
    if (name === "size" && fields.type === "dir") continue
    // What is written through a mapping is marked when it is written back; what goes into a fifo is not marked at all.
    if (name === "mtime" && fields.type !== "dir" && fields.type !== "symlink") continue
    parts.push(`${name}=${name === "mtime" || name === "ctime" ? timeOf(text) : text}`)
  }
  return line.startsWith("getlk")
    ? parts.filter((part) => !part.startsWith("start") && !part.startsWith("length")).join(" ")
    : parts.join(" ")
}
