/** Directories: a listing is made when one is opened, and anew when it is rewound. */
import type { Dirent, DirentPlus, ReaddirRequest, U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { forms, listed } from "./answers.ts"
import type { PathAttributes } from "./callbacks.ts"
import { nameOf, nameText, type PathNode } from "./node.ts"
import { map, optional, type Outcome, settled } from "./outcome.ts"
import type { Served } from "./served.ts"

/** As libfuse has it: a number that says nothing. What is not known yet has none of its own. */
const unknownIno = 0xffff_ffff

const isDots = (name: string): boolean => name === "." || name === ".."

interface Listing {
  names: ReadonlyArray<string>
  /** Nothing of it was given out yet. */
  fresh: boolean
}

/** What is listed: of each name what is known, and with its attributes. */
const makeEntries = <H>({ attributes, attributesAtOnce, entryOf, inside, nodes }: Served<H>) => {
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

  /** The attributes of a name, if the callback answers at once; undefined leaves the kernel to look it up. */
  const attributesIn = (nodeid: U64, name: string, context: RequestContext): PathAttributes | undefined => {
    const found = inside(nodeid, nameOf(name), (path) => attributes(path, context))
    const exit = settled(found)
    if (exit !== undefined) return Exit.isSuccess(exit) ? exit.value : undefined
    // A Promise that rejects needs somebody who hears of it.
    Effect.runFork(Effect.ignore(found))
    return undefined
  }

  /** As `entries`, with what LOOKUP would answer. A listing ends where the reply is full, so a node counts once it was taken. */
  function* entriesPlus(
    node: PathNode,
    listing: Listing,
    from: number,
    context: RequestContext
  ): Generator<DirentPlus, void, undefined> {
    for (const dirent of entries(node, listing, from)) {
      const { name } = dirent
      const text = nameText(name)
      const found = isDots(text) || !attributesAtOnce() ? undefined : attributesIn(node.id, text, context)
      if (found === undefined) yield { ...dirent, entry: undefined }
      else {
        const child = nodes.enter(node, text, found)
        const { known } = child
        const entry = entryOf(child, found)
        child.known = known
        try {
          yield { ino: entry.attr.ino, off: dirent.off, type: child.type >>> 12, name, entry }
          child.known = true
        } finally {
          nodes.drop(child)
        }
      }
    }
  }

  return { entries, entriesPlus }
}

export const listingOperations = <H>(served: Served<H>) => {
  const { at, callbacks, keepsNames, nodes } = served
  const { entries, entriesPlus } = makeEntries(served)
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

  /** Lists anew when the directory was rewound, and goes on from the request's offset. */
  const listedFrom = <A>(
    { fh, nodeid, offset }: Pick<ReaddirRequest, "fh" | "nodeid" | "offset">,
    context: RequestContext,
    from: (node: PathNode, listing: Listing, index: number) => A
  ): Outcome<A> => {
    const listing = listings.get(fh)
    const node = nodes.get(nodeid)
    if (listing === undefined || node === undefined) return Errno.EBADF
    const rewound = offset === 0 && !listing.fresh
    listing.fresh = false
    if (!rewound) return Exit.succeed(from(node, listing, Number(offset)))
    return map(list(nodeid, context), (names) => {
      listing.names = names
      return from(node, listing, 0)
    })
  }

  return {
    opendir: ({ nodeid }, context) =>
      map(list(nodeid, context), (names) => {
        const fh = ++last
        listings.set(fh, { names, fresh: true })
        return { fh, openFlags: 0 }
      }),
    readdir: (request, context) => listedFrom(request, context, entries),
    // What the kernel must not keep is not worth asking for.
    ...(keepsNames && {
      readdirplus: (request, context) =>
        listedFrom(request, context, (node, listing, index) => entriesPlus(node, listing, index, context))
    }),
    releasedir: ({ fh }) => {
      listings.delete(fh)
      return Exit.void
    }
  } satisfies Backend
}
