/** Operations on names: LOOKUP, FORGET and READLINK here; what makes and removes names beside. */
import type { Entry, Timespec } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { creations } from "./creation.ts"
import { entry, type Filesystem } from "./filesystem.ts"
import { Inode } from "./inode.ts"
import type { Opening } from "./open.ts"
import { placeOf } from "./place.ts"
import { removals } from "./removal.ts"

type Operations =
  | "lookup"
  | "forget"
  | "mknod"
  | "mkdir"
  | "symlink"
  | "readlink"
  | "create"
  | "tmpfile"
  | "link"
  | "unlink"
  | "rmdir"

export const namespaceOperations = (
  fs: Filesystem,
  opening: Opening,
  negative: Timespec | undefined
): Required<Pick<Backend, Operations>> => {
  // The attributes are looked at by nobody.
  const noEntry: Exit.Exit<Entry> | undefined =
    negative &&
    Exit.succeed({
      nodeid: 0,
      generation: 0,
      entryValid: negative,
      attrValid: negative,
      attr: new Inode(0, 0, 0, 0, 0, 0, negative, negative, negative)
    })

  return {
    lookup: ({ name, nodeid }) => {
      const place = placeOf(fs, nodeid, name)
      if (!("directory" in place)) {
        // Node ids are looked up by `.` for NFS, and then need not be directories.
        const inode = name === "." ? fs.node(nodeid) : undefined
        return inode === undefined ? place : entry(inode)
      }
      const found = place.directory.get(name)
      if (found !== undefined) return entry(found)
      if (name === ".") return entry(place.inode)
      if (name === "..") return entry(place.directory.parent)
      return noEntry ?? Errno.ENOENT
    },
    forget: (nodeid, _nlookup, left) => {
      if (left > 0) return
      fs.forget(nodeid)
    },

    readlink: ({ nodeid }) => {
      const inode = fs.node(nodeid)
      if (inode === undefined) return Errno.ESTALE
      const target = fs.target(inode)
      if (target === undefined) return Errno.EINVAL
      fs.accessed(inode)
      return Exit.succeed(target)
    },

    ...creations(fs, opening),
    ...removals(fs)
  }
}
