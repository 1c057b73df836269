/** Attributes. */
import { type AttrReply, errnoNumbers, type SetattrRequest, type Statfs, type U64 } from "@bickford/protocol"
import type { Backend, ErrnoError, RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  FATTR_ATIME,
  FATTR_ATIME_NOW,
  FATTR_FH,
  FATTR_GID,
  FATTR_KILL_SUIDGID,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID
} from "../posix/linux.ts"
import { type Failure, failureOf } from "./answers.ts"
import { openWaiting } from "./openWaiting.ts"
import { changeOwnerAs, killSuidSgid, killUnlessRoot } from "./privileges.ts"
import { attributesReply, attributesValid, changingDescriptorOf, descriptorOf, type Served } from "./served.ts"

const O_WRONLY = 1
/** What 32-bit programs can be told of files: more is EOVERFLOW for them (statvfs(3)). */
const countMost = 0xffffffff
const UTIME_NOW = (1 << 30) - 1
const UTIME_OMIT = (1 << 30) - 2
/** GETATTR: the handle counts. */
const FUSE_GETATTR_FH = 1

const changeTimes = (fd: number, { atime, mtime, valid }: SetattrRequest): number => {
  const nsecOf = (set: number, now: number, nsec: number): number =>
    (valid & set) === 0 ? UTIME_OMIT : (valid & now) !== 0 ? UTIME_NOW : nsec
  return files.fs_utimens(
    fd,
    atime.sec,
    nsecOf(FATTR_ATIME, FATTR_ATIME_NOW, atime.nsec),
    mtime.sec,
    nsecOf(FATTR_MTIME, FATTR_MTIME_NOW, mtime.nsec)
  )
}

const statfsRoom = new Float64Array(8)

const statfsOf = (fd: number): Exit.Exit<Statfs> | Failure => {
  const status = files.fs_statvfs(fd, statfsRoom)
  if (status < 0) return failureOf(status)
  const [blocks = 0, bfree = 0, bavail = 0, all = 0, ffree = 0, bsize = 0, namelen = 0, frsize = 0] = statfsRoom
  return Exit.succeed({
    blocks,
    bfree,
    bavail,
    files: Math.min(all, countMost),
    ffree: Math.min(ffree, countMost),
    bsize,
    namelen,
    frsize
  })
}

export const attributeOperations = (served: Served): Pick<Backend, "getattr" | "setattr" | "statx" | "statfs"> => {
  const { attributes, gids, nodes, opened, uids } = served

  /** An open file is looked at as it is open: its descriptor is there. */
  const look = (nodeid: number | bigint, fh: number | bigint, flags: number): number => {
    const open = (flags & FUSE_GETATTR_FH) !== 0 ? opened.opened(fh) : undefined
    nodes.trim()
    const fd = open ?? descriptorOf(served, nodeid)
    return fd < 0 ? fd : files.fs_stat(fd)
  }

  const changeOwner = (fd: number, { newGid, newUid, valid }: SetattrRequest, context: RequestContext): number => {
    const uid = (valid & FATTR_UID) === 0 ? -1 : uids.toOutside(newUid)
    const gid = (valid & FATTR_GID) === 0 ? -1 : gids.toOutside(newGid)
    return uid === undefined || gid === undefined
      ? -errnoNumbers.EOVERFLOW
      : changeOwnerAs(attributes, fd, uid, gid, context)
  }

  /** `writable`: the file opened for writing, if it had to be waited for. -EAGAIN, with nothing changed, when it has to be. */
  const change = (fd: number, request: SetattrRequest, context: RequestContext, writable?: number): number => {
    const { mode, size, valid } = request
    let status = 0
    if ((valid & FATTR_SIZE) !== 0) {
      const open = writable ?? ((valid & FATTR_FH) !== 0 ? opened.opened(request.fh) : undefined)
      status = open === undefined ? nodes.withRoom(() => files.fs_truncate(fd, size)) : files.fs_ftruncate(open, size)
      if (status >= 0)
        status = ((valid & FATTR_KILL_SUIDGID) !== 0 ? killSuidSgid : killUnlessRoot)(
          served,
          request.nodeid,
          fd,
          context
        )
    }
    // chown(2) with nothing to change clears set-user-ID as well, and comes with nothing in `valid`.
    if (status >= 0 && ((valid & (FATTR_UID | FATTR_GID)) !== 0 || (valid & ~FATTR_KILL_SUIDGID) === 0))
      status = changeOwner(fd, request, context)
    if (status >= 0 && (valid & FATTR_MODE) !== 0) status = files.fs_chmod(fd, mode)
    if (status >= 0 && (valid & (FATTR_ATIME | FATTR_MTIME)) !== 0) status = changeTimes(fd, request)
    return status
  }

  const changed = (fd: number, nodeid: U64, changing: number): Exit.Exit<AttrReply, ErrnoError> => {
    const status = changing < 0 ? changing : files.fs_stat(fd)
    return status < 0 ? failureOf(status) : attributesReply(served, nodeid, attributes.attr())
  }

  /** The file is leased by another program: it is cut when it could be opened. */
  const changeLater = (
    fd: number,
    request: SetattrRequest,
    context: RequestContext
  ): Effect.Effect<AttrReply, ErrnoError> =>
    Effect.flatMap(openWaiting(fd, O_WRONLY), (writable) => {
      if (writable < 0) return failureOf(writable)
      const now = descriptorOf(served, request.nodeid)
      const exit = now < 0 ? failureOf(now) : changed(now, request.nodeid, change(now, request, context, writable))
      files.fs_close(writable)
      return exit
    })

  return {
    getattr: ({ fh, getattrFlags, nodeid }) => {
      const status = look(nodeid, fh, getattrFlags)
      return status < 0 ? failureOf(status) : attributesReply(served, nodeid, attributes.attr())
    },
    setattr: (request, context) => {
      nodes.trim()
      const fd =
        (request.valid & FATTR_FH) === 0
          ? changingDescriptorOf(served, request.nodeid, context)
          : descriptorOf(served, request.nodeid)
      if (fd < 0) return failureOf(fd)
      const status = change(fd, request, context)
      return status === -errnoNumbers.EAGAIN ? changeLater(fd, request, context) : changed(fd, request.nodeid, status)
    },
    statx: ({ fh, getattrFlags, nodeid }) => {
      const status = look(nodeid, fh, getattrFlags)
      return status < 0
        ? failureOf(status)
        : Exit.succeed({ attrValid: attributesValid(served, nodes.get(nodeid)), flags: 0, stat: attributes.statx() })
    },
    statfs: ({ nodeid }) => {
      nodes.trim()
      const fd = descriptorOf(served, nodeid)
      return fd < 0 ? failureOf(fd) : statfsOf(fd)
    }
  }
}
