/** As `makeListings`, for directories that any isolate may have opened. What was read ahead is each isolate's own. */
import { files, type SharedFiles } from "@bickford/transport"
import { Listing } from "../listing.ts"
import type { Listings } from "../listings.ts"
import type { Node } from "../node.ts"

/** Handles that this isolate has listed by, from which on it looks for those that were closed by another. */
const manyHandles = 64

export const makeSharedListings = (share: SharedFiles): Listings => {
  const own = new Map<number, Listing>()
  const told = new Float64Array(4)
  let sweepAt = manyHandles

  /** Handles are not used twice, so one that another isolate has closed stays closed. */
  const sweep = (): void => {
    for (const [handle, listing] of own) {
      if (share.descriptor_of(handle) >= 0) continue
      listing.letGo()
      own.delete(handle)
    }
    sweepAt = Math.max(manyHandles, 2 * own.size)
  }

  const note = (handle: number, fd: number): Listing => {
    if (own.size >= sweepAt) sweep()
    const listing = new Listing(fd, true)
    own.set(handle, listing)
    return listing
  }

  return {
    add: (node: Node, fd: number) => share.open(node.id, 0, 0, fd),
    get: (handle) => {
      const number = Number(handle)
      const known = own.get(number)
      if (known !== undefined) return known
      const fd = share.descriptor_of(number)
      return fd < 0 ? undefined : note(number, fd)
    },
    remove: (handle) => {
      const number = Number(handle)
      if (share.close_file(number, told) < 0) return
      own.get(number)?.letGo()
      own.delete(number)
      files.fs_close(told[3] ?? -1)
    },
    // The descriptors are closed with the last share.
    close: () => {
      for (const listing of own.values()) listing.letGo()
      own.clear()
    }
  }
}
