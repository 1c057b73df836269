/** A mountpoint `/dev/fd/N`: a /dev/fuse that the caller has opened, mounted and passed on, as mount.fuse3(8) does with `drop_privileges`. */
import { fstatSync, type Stats } from "node:fs"

/** The descriptor that a mountpoint names; undefined for a path. */
export const givenDevice = (mountpoint: string): number | undefined => {
  const [, digits] = /^\/dev\/fd\/(\d{1,7})$/.exec(mountpoint) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** The device number of /dev/fuse: major 10, minor 229 (Documentation/admin-guide/devices.txt). */
const fuseDevice = (10 << 8) | 229

const statOf = (descriptor: number): Stats | string => {
  try {
    return fstatSync(descriptor)
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
  }
}

/** Why a descriptor cannot be served; undefined when it is a /dev/fuse. Node has descriptors of its own, which stay untouched. */
export const notADevice = (descriptor: number): string | undefined => {
  const found = statOf(descriptor)
  if (typeof found === "string") return `is not an open descriptor: ${found}`
  return found.isCharacterDevice() && found.rdev === fuseDevice
    ? undefined
    : "is not a /dev/fuse: the caller opens that, mounts it, and passes it on"
}
