/** What is mounted where: `/proc/self/mountinfo` (proc(5)). */
import { readFileSync } from "node:fs"

export interface MountInfo {
  readonly id: number
  /** `MAJOR:MINOR` of the files' st_dev. */
  readonly device: string
  readonly mountpoint: string
  /** `fuse.bickford`, `ext4`... */
  readonly type: string
  readonly source: string
  readonly options: string
}

/** Only ASCII is escaped: space, tab, newline, backslash and the hash. */
const unescape = (field: string): string => field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Undefined for a line that is none. Paths are taken as UTF-8. */
export const parseMountInfo = (line: string): MountInfo | undefined => {
  const [before, after] = line.split(" - ")
  const [id, , device, , mountpoint] = before?.split(" ") ?? []
  const [type, source, options] = after?.split(" ") ?? []
  if (id === undefined || device === undefined || mountpoint === undefined || type === undefined) return undefined
  return { id: Number(id), device, mountpoint: unescape(mountpoint), type, source: unescape(source ?? ""), options: options ?? "" }
}

/** Every mount that this process sees, in the order they were made. */
export const readMounts = (): ReadonlyArray<MountInfo> =>
  readFileSync("/proc/self/mountinfo", "utf8").split("\n").flatMap((line) => parseMountInfo(line) ?? [])

/** The topmost mount at exactly this absolute path. */
export const mountAt = (mountpoint: string): MountInfo | undefined => readMounts().findLast((mount) => mount.mountpoint === mountpoint)
