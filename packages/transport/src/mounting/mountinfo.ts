/** The mount table of this process: `/proc/self/mountinfo`, proc(5). */
import { readFileSync } from "node:fs"

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  /** The mount's own number. */
  readonly id: number
  /** The number of the mount that it lies on. */
  readonly parent: number
  /** `MAJOR:MINOR`, st_dev of what lies there. */
  readonly device: string
  readonly mountpoint: string
  /** As `fuse.bickford`. */
  readonly type: string
  readonly source: string
  /** The mount's own options, as `rw,nosuid`. */
  readonly options: string
  /** The filesystem's options, as `rw,user_id=0`. */
  readonly superOptions: string
}

/** Space, tab, newline and backslash are written as three octal digits. */
const unescape = (field: string): string =>
  field.includes("\\")
    ? Buffer.from(
        field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8))),
        "latin1"
      ).toString()
    : Buffer.from(field, "latin1").toString()

/** Parses the whole table; lines that are not mounts are left out. `text` is latin1: one character a byte. */
export const parseMountinfo = (text: string): ReadonlyArray<MountEntry> => {
  const entries: Array<MountEntry> = []
  for (const line of text.split("\n")) {
    const fields = line.split(" ")
    // Optional fields, as many as there are, end with a lone hyphen.
    const hyphen = fields.indexOf("-", 6)
    const [id, parent, device, , mountpoint, options] = fields
    const [type, source, superOptions] = fields.slice(hyphen + 1)
    if (hyphen < 0 || device === undefined || mountpoint === undefined || options === undefined) continue
    if (type === undefined || source === undefined || superOptions === undefined) continue
    entries.push({
      id: Number(id),
      parent: Number(parent),
      device,
      mountpoint: unescape(mountpoint),
      type: unescape(type),
      source: unescape(source),
      options,
      superOptions: unescape(superOptions)
    })
  }
  return entries
}

/** The table as it is now, in the order of mounting. Asks no filesystem, so none can make it wait. */
export const mountTable = (): ReadonlyArray<MountEntry> =>
  parseMountinfo(readFileSync("/proc/self/mountinfo", "latin1"))

/** What is mounted at an absolute path without links: the topmost mount, if any. */
export const findMount = (mountpoint: string): MountEntry | undefined =>
  mountTable().findLast((entry) => entry.mountpoint === mountpoint)

/** Whether a device is mounted at a mountpoint, be it covered by another mount. */
export const isMounted = ({ device, mountpoint }: Pick<MountEntry, "device" | "mountpoint">): boolean =>
  mountTable().some((entry) => entry.device === device && entry.mountpoint === mountpoint)

/** Whether a mount is one of FUSE; fusectl is not. */
export const isFuse = ({ type }: MountEntry): boolean => /^fuse(blk)?(\.|$)/.test(type)

/**
 * The number by which fusectl and fdinfo call a mount's connection; `device` is `MAJOR:MINOR` of the mount. It is the
 * kernel's own device number, 20 bits of which are the minor (`fs/fuse/control.c`): the minor alone, but for a mount of a
 * block device.
 */
export const connectionNumber = (device: string): number => {
  const [major = 0, minor = 0] = device.split(":").map(Number)
  return major * 2 ** 20 + minor
}

/** The device of a connection: the other way round. */
export const deviceOf = (connection: number): string => `${Math.floor(connection / 2 ** 20)}:${connection % 2 ** 20}`
