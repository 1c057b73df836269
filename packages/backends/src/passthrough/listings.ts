/** Directories that are open, by handle. */
import { Listing } from "./listing.ts"
import type { Node } from "./node.ts"
import { makeTable } from "./table.ts"

export interface Listings {
  /** Takes the descriptor of a directory that was opened: its handle. */
  readonly add: (node: Node, fd: number) => number
  readonly get: (handle: number | bigint) => Listing | undefined
  /** Closes it. */
  readonly remove: (handle: number | bigint) => void
  readonly close: () => void
}

export const makeListings = (): Listings => {
  const table = makeTable<{ readonly node: Node; readonly listing: Listing }>()
  return {
    add: (node, fd) => {
      node.opens++
      return table.add({ node, listing: new Listing(fd, false) })
    },
    get: (handle) => table.get(handle)?.listing,
    remove: (handle) => {
      const open = table.remove(handle)
      if (open === undefined) return
      open.node.opens--
      open.listing.close()
    },
    close: () => {
      for (const { listing } of table.values()) listing.close()
    }
  }
}
