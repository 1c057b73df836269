/** OPEN, CREATE, TMPFILE and RELEASE. */
import { type Created, errnoNumbers, type Name, type U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { O_ACCMODE, O_TRUNC, permissionBits, S_IFMT, S_IFREG } from "../posix/linux.ts"
import { done, type Failure, failureOf } from "./answers.ts"
import type { Attributes } from "./attributes.ts"
import type { CreationMode } from "./creation.ts"
import type { OpenFlags } from "./openFlags.ts"
import { makeOpening } from "./opening.ts"
import { openWaiting } from "./openWaiting.ts"
import { changingFolderOf, descriptorOf, entryOf, isReached, type Served } from "./served.ts"

const { EAGAIN } = errnoNumbers
const O_WRONLY = 1
const O_EXCL = 0o200
const O_TMPFILE = 0o20200000

export const openOperations = (served: Served, openFlags: OpenFlags) => {
  const { attributes, backings, caller, creationMode, limits, nodes, opened, room } = served
  const { flagsFor, openWith } = openFlags
  const opening = makeOpening(served, openFlags)

  /** Gives a new file the mode that it is to have, and looks at it. */
  const lookAtMade = (fd: number, { isMasked, mode }: CreationMode): Attributes | number => {
    const changed = isMasked ? files.fs_chmod(fd, mode) : 0
    const status = changed < 0 ? changed : files.fs_stat(fd)
    return status < 0 ? status : attributes
  }

  /** `seen`: what the call that made the file saw of it, if it is as it was made. */
  const created = (
    nodeid: U64,
    name: Name,
    made: number,
    flags: number,
    given: CreationMode,
    context: RequestContext,
    seen: Attributes | undefined
  ): Exit.Exit<Created> | Failure => {
    const looked = seen ?? lookAtMade(made, given)
    if (typeof looked === "number") {
      files.fs_close(made)
      return failureOf(looked)
    }
    const attr = looked.attr()
    const fd = room.keepMade(made)
    // What it let go for that was looked at meanwhile.
    if (made >= limits.files) files.fs_stat(fd)
    const node = nodes.adopt(looked, fd, nodeid, name, true)
    const open = opening.open(
      node,
      fd,
      flags,
      context,
      (attr.mode & S_IFMT) === S_IFREG,
      (flags & (O_ACCMODE | O_EXCL)) === (O_WRONLY | O_EXCL)
    )
    return Exit.succeed({ entry: entryOf(served, node, attr), open })
  }

  return {
    open: ({ flags, nodeid }, context) => {
      nodes.trim()
      const node = nodes.get(nodeid)
      const file = descriptorOf(served, nodeid)
      if (node === undefined || file < 0) return failureOf(file)
      if ((flags & (O_ACCMODE | O_TRUNC)) !== 0 && !isReached(served, node, context)) return Errno.ESTALE
      const byKernel = opening.byKernel(node, flags)
      if (byKernel !== undefined) return Exit.succeed(byKernel)
      const first = nodes.withRoom(() => openWith(flags, (own) => files.fs_open(file, own, 0)))
      const fd = first < 0 ? first : room.keep(first, limits.files)
      if (fd === -EAGAIN) {
        return Effect.flatMap(openWaiting(file, flagsFor(flags)), (late) => {
          const kept = late < 0 ? late : room.keep(late, limits.files)
          return kept < 0 ? failureOf(kept) : Exit.succeed(opening.known(node, kept, flags, context))
        })
      }
      if (fd < 0) return failureOf(fd)
      return Exit.succeed(opening.known(node, fd, flags, context))
    },
    create: ({ extensions, flags, mode, name, nodeid, umask }, context) => {
      nodes.trim()
      const folder = changingFolderOf(served, nodeid, context)
      if (folder < 0) return failureOf(folder)
      const full = room.forOneMore()
      if (full < 0) return failureOf(full)
      const given = creationMode(folder, mode & permissionBits, umask)
      const fd = nodes.withRoom(() =>
        caller.as(context, extensions, () =>
          openWith(flags, (own) => files.fs_create(folder, name, own | (flags & O_EXCL), given.mode))
        )
      )
      return fd < 0
        ? failureOf(fd)
        : created(nodeid, name, fd, flags, given, context, given.isMasked ? undefined : attributes)
    },
    tmpfile: ({ extensions, flags, mode, nodeid, umask }, context) => {
      nodes.trim()
      const folder = changingFolderOf(served, nodeid, context)
      if (folder < 0) return failureOf(folder)
      const full = room.forOneMore()
      if (full < 0) return failureOf(full)
      const given = creationMode(folder, mode & permissionBits, umask)
      const fd = caller.as(context, extensions, () =>
        files.fs_open(folder, flagsFor(flags) | O_TMPFILE | (flags & O_EXCL), given.mode)
      )
      return fd < 0 ? failureOf(fd) : created(nodeid, "", fd, flags, given, context, undefined)
    },
    release: ({ fh }) => {
      const file = opened.remove(fh)
      if (file === undefined) return done
      if (file.byKernel) backings.close(file.node)
      return done
    }
  } satisfies Backend
}
