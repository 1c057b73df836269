/** OPENDIR, READDIR, RELEASEDIR and FSYNCDIR. */
import { openReplyFlags } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { done, failureOf } from "./answers.ts"
import { awaited } from "./awaited.ts"
import { makeFreshness } from "./freshness.ts"
import type { Node } from "./nodes.ts"
import type { OpenFlags } from "./openFlags.ts"
import { folderOf, type Served } from "./served.ts"

const { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } = openReplyFlags

export const directoryOperations = (served: Served, { openToList }: OpenFlags) => {
  const { attributes, limits, listings, nodes, room } = served
  const freshnessOf = makeFreshness(attributes)

  /** Whether the kernel may keep the list of a directory's entries, and may use the one that it kept. */
  const keeping = (node: Node, fd: number): number => {
    const freshness = freshnessOf(node, fd)
    return freshness === "same" ? FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE : freshness === "settled" ? FOPEN_CACHE_DIR : 0
  }

  return {
    opendir: ({ nodeid }) => {
      nodes.trim()
      const node = nodes.get(nodeid)
      const folder = folderOf(served, nodeid)
      const first = folder < 0 ? folder : nodes.withRoom(() => openToList(folder))
      const fd = first < 0 ? first : room.keep(first, limits.directories)
      if (node === undefined || fd < 0) return failureOf(fd)
      return Exit.succeed({ fh: listings.add(node, fd), openFlags: keeping(node, fd) })
    },
    readdir: ({ fh, offset }) => {
      const listing = listings.get(fh)
      if (listing === undefined) return Errno.ESTALE
      const entries = listing.entries(offset)
      return typeof entries === "number" ? failureOf(entries) : Exit.succeed(entries)
    },
    releasedir: ({ fh }) => {
      listings.remove(fh)
      return done
    },
    fsyncdir: ({ fh, fsyncFlags }) => {
      const listing = listings.get(fh)
      return listing === undefined
        ? Errno.ESTALE
        : awaited(
            () => files.fs_sync(listing.fd, (fsyncFlags & 1) !== 0 ? 1 : 0),
            () => undefined
          )
    }
  } satisfies Backend
}
