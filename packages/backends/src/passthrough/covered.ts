/**
 * Directories that mounts of this process lie on. A path that leads there is one into a mount that this process serves:
 * whoever follows it here waits for itself. What lies underneath is reached by the descriptors that were opened before.
 */
import { errnoNumbers, type Name } from "@bickford/protocol"
import { type CoveredPlace, coveredPlaces, coveringPlace, files } from "@bickford/transport"
import { relative, resolve } from "node:path"

const O_PATH = 0o10000000
const O_DIRECTORY = 0o200000
const pathRoom = new Uint8Array(4096)

const pathOf = (fd: number): string | undefined => {
  const length = files.fs_path_of(fd, pathRoom)
  return length < 0 ? undefined : Buffer.from(pathRoom.subarray(0, length)).toString()
}

/** Opens what lies underneath a place, at or below its mountpoint (O_PATH). */
const openBelow = ({ mountpoint, underneath }: CoveredPlace, path: string): number => {
  if (underneath < 0) return -errnoNumbers.EDEADLK
  const below = relative(mountpoint, path)
  if (below === "") return files.fs_open(underneath, O_PATH | O_DIRECTORY, 0)
  const found = files.fs_find_path(underneath, below)
  if (found < 0) return found
  const opened = files.fs_open(found, O_PATH | O_DIRECTORY, 0)
  files.fs_close(found)
  return opened
}

/** Opens the directory that is to be served (O_PATH): what lies underneath, where a mount of this process covers it. */
export const openServed = (directory: string): number => {
  const path = resolve(directory)
  const place = coveringPlace(path)
  if (place !== undefined) return openBelow(place, path)
  const fd = files.fs_open_folder(directory)
  // A symlink may have led there. The mount's root is opened without asking its server anything.
  const real = fd < 0 ? undefined : pathOf(fd)
  const covering = real === undefined ? undefined : coveringPlace(real)
  if (real === undefined || covering === undefined) return fd
  files.fs_close(fd)
  return openBelow(covering, real)
}

/** The place that a name in an open directory is, if a mount of this process covers it. */
export const coveredName = (folder: number, name: Name): CoveredPlace | undefined => {
  for (const place of coveredPlaces) {
    if (place.name === name && pathOf(folder) === place.directory) return place
  }
  return undefined
}

/** Opens what lies underneath a covered place (O_PATH): a descriptor, or a negative errno. */
export const openCovered = ({ underneath }: CoveredPlace): number =>
  underneath < 0 ? -errnoNumbers.ENOENT : files.fs_open(underneath, O_PATH, 0)
