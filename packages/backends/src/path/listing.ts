/** Directories: a listing is made when one is opened, and anew when it is rewound. */
import type { Dirent, U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { forms, listed } from "./answers.ts"
import { nameOf, type PathNode } from "./node.ts"
import { andThen, map, optional, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

/** As libfuse has it: a number that says nothing. What is not known yet has none of its own. */
const unknownIno = 0xffff_ffff

const isDots = (name: string): boolean => name === "." || name === ".."

interface Listing {
  names: ReadonlyArray<string>
  /** Nothing of it was given out yet. */
  fresh: boolean
}

export const listingOperations = <H>({ at, callbacks, nodes }: Served<H>) => {
  const listings = new Map<U64, Listing>()
  let last = 0

  const list = (nodeid: U64, context: RequestContext): Outcome<ReadonlyArray<string>> => {
    // A directory that was removed has nothing in it, not even itself.
    if (nodes.get(nodeid)?.last !== undefined) return Exit.succeed([])
    return at(nodeid, (path, node) =>
      map(listed(optional(callbacks.readdir, path, context), "readdir", path, forms.names), (names) => [
        ".",
        "..",
        ...names.filter((name) => !isDots(name) && node.children.get(name)?.removedBy === undefined)
      ])
    )
  }

  function* entries(node: PathNode, { names }: Listing, from: number): Generator<Dirent, void, undefined> {
    for (let index = from; index < names.length; index++) {
      const name = names[index] ?? ""
      const child = index === 0 ? node : index === 1 ? (node.names[0]?.parent ?? node) : node.children.get(name)
      yield {
        ino: child?.ino ?? child?.id ?? unknownIno,
        off: index + 1,
        type: (child?.type ?? 0) >>> 12,
        name: nameOf(name)
      }
    }
  }

  return {
    opendir: ({ nodeid }, context) =>
      map(list(nodeid, context), (names) => {
        const fh = ++last
        listings.set(fh, { names, fresh: true })
        return { fh, openFlags: 0 }
      }),
    readdir: ({ fh, nodeid, offset }, context) => {
      const listing = listings.get(fh)
      const node = nodes.get(nodeid)
      if (listing === undefined || node === undefined) return Errno.EBADF
      const rewound = offset === 0 && !listing.fresh
      listing.fresh = false
      if (!rewound) return Exit.succeed(entries(node, listing, Number(offset)))
      return andThen(list(nodeid, context), (names) => {
        listing.names = names
        return Exit.succeed(entries(node, listing, 0))
      })
    },
    releasedir: ({ fh }) => {
      listings.delete(fh)
      return Exit.void
    }
  } satisfies Backend
}
