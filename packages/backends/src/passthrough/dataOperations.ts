/** Opening files and folders, and what is in them. */
import {
  type Created,
  errnoNumbers,
  type Name,
  type Open,
  openReplyFlags,
  type U64,
  type WriteRequest
} from "@bickford/protocol"
import {
  type AtimePolicy,
  atimePolicy,
  type Backend,
  Errno,
  type ErrnoError,
  type RequestContext
} from "@bickford/session"
import { files } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  O_ACCMODE,
  O_APPEND,
  O_NOATIME,
  O_TRUNC,
  permissionBits,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  S_IXGRP
} from "../posix/linux.ts"
import { answered, done, type Failure, failureOf } from "./answers.ts"
import type { CreationMode } from "./creation.ts"
import { makeFreshness } from "./freshness.ts"
import { Listing } from "./listing.ts"
import type { Node } from "./nodes.ts"
import { killSuidSgid, killUnlessRoot } from "./privileges.ts"
import { openWaiting } from "./openWaiting.ts"
import { changingFolderOf, descriptorOf, dropAttributes, entryOf, folderOf, isReached, type Served } from "./served.ts"
import { makeUnsized } from "./unsized.ts"

const { EAGAIN, EPERM } = errnoNumbers
const O_RDWR = 2
const O_WRONLY = 1
const O_EXCL = 0o200
const O_DSYNC = 0o10000
const O_DIRECTORY = 0o200000
const O_SYNC = 0o4010000
const O_TMPFILE = 0o20200000
const defaultAtime = atimePolicy({})
const RWF_APPEND = 0x10
const { FOPEN_CACHE_DIR, FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH, FOPEN_PASSTHROUGH } = openReplyFlags

/** Of a program's flags, those that a descriptor of ours is opened with: the kernel has seen to the others. */
const kept = O_ACCMODE | O_TRUNC | O_NOATIME | O_DSYNC | O_SYNC
/**
 * Bytes up to which a new file is written sooner through this process, without the kernel's cache: for it to be
 * registered costs as much, and so does the question for `security.capability` that comes before each write by the
 * kernel. Where there are no such questions, only a file to which nothing is written is better off.
 */
const smallFile = 128 * 1024
/** What the 32-bit reply of COPY_FILE_RANGE can say. */
const copyMax = 0x7ffff000

/** The answer to a promise of a status. */
const awaited = <A>(start: () => Promise<number>, value: (status: number) => A): Effect.Effect<A, ErrnoError> =>
  Effect.flatMap(Effect.promise(start), (status) => (status < 0 ? failureOf(status) : Exit.succeed(value(status))))

export const dataOperations = (served: Served): Backend => {
  const { attributes, backings, caller, creationMode, limits, listings, nodes, opened, options, room } = served
  const smallMost = options.xattrs === false ? 0 : smallFile
  /**
   * Of the last file that was made to be new and written, when it was closed: the next one is taken to become as
   * large. (One that is made without O_EXCL may be the output of a program that runs for long: its writes should
   * not need this process.)
   */
  let lastMadeSize: U64 = Number.MAX_SAFE_INTEGER

  const flagsFor = (flags: number): number => {
    const own = flags & kept
    // What is written back later must be read before, to fill pages.
    return options.writebackCache === true && (own & O_ACCMODE) === O_WRONLY ? (own & ~O_ACCMODE) | O_RDWR : own
  }

  /** Whether a write by others than root must clear set-group-ID that the kernel would keep; the mode is the cheaper one to look at. */
  const keepsSetGroupId = (fd: number, context: RequestContext): boolean =>
    (served.negotiated?.allowIdmap === true || context.uid !== 0) &&
    files.fs_stat(fd) === 0 &&
    (attributes.mode() & (S_ISGID | S_IXGRP)) === S_ISGID &&
    context.uid !== 0

  /** What takes set-user-ID away when others than root do it. */
  const changed = (nodeid: U64, fd: number, context: RequestContext, status: number): number =>
    status >= 0 ? Math.min(status, killUnlessRoot(served, nodeid, fd, context)) : status

  const freshnessOf = makeFreshness(attributes)

  const isUnsized = makeUnsized()
  const atime = (): AtimePolicy => served.connection?.atime ?? defaultAtime

  /** What the kernel reads by itself it marks as the filesystem underneath has it: not with noatime. */
  const kernelTakesFiles = (): boolean =>
    options.kernelPassthrough !== false && served.negotiated?.passthrough === true && atime().files !== "noatime"

  /** Another descriptor of a directory, to list it. */
  const openToList = (folder: number): number => {
    const quiet = atime().directories === "noatime" ? files.fs_open(folder, O_DIRECTORY | O_NOATIME, 0) : -EPERM
    return quiet === -EPERM ? files.fs_open(folder, O_DIRECTORY, 0) : quiet
  }

  /**
   * Opens by the flags that a descriptor of ours has. A file that can only be appended to (chattr +a) wants O_APPEND too;
   * others are opened without it, since they are written at offsets, also when fcntl(2) has cleared the program's flag.
   */
  const openWith = (flags: number, open: (flags: number) => number): number => {
    const own = flagsFor(flags)
    const quiet = atime().files === "noatime" ? O_NOATIME : 0
    const fd = open(own | quiet)
    if (fd !== -EPERM) return fd
    // Only the owner and root may read without a trace.
    const plain = quiet === 0 ? fd : open(own)
    return plain === -EPERM && (flags & O_APPEND) !== 0 ? open(own | O_APPEND) : plain
  }

  /**
   * A file that is only read, by the kernel itself, is opened by nobody else: undefined when it has to be. (Whoever
   * writes is opened for, since what open(2) refuses him the kernel would tell as EIO.)
   */
  const openingByKernel = (node: Node, flags: number): Open | undefined => {
    if ((flags & (O_ACCMODE | O_TRUNC | O_APPEND)) !== 0 || !kernelTakesFiles()) return undefined
    if (!room.mayKeepHeld(node) || isUnsized(node.identity.device, node.fd)) return undefined
    const backingId = backings.openHeld(node)
    if (backingId === undefined) return undefined
    const fh = opened.add({ node, flags: flagsFor(flags), byKernel: true, made: false, fd: -1 })
    return { fh, openFlags: FOPEN_PASSTHROUGH | FOPEN_NOFLUSH, backingId }
  }

  /** A file that is open, as the kernel is told of it; by itself it reads and writes what it may. */
  const opening = (
    node: Node,
    fd: number,
    flags: number,
    context: RequestContext,
    regular: boolean,
    made: boolean
  ): Open => {
    const unsized = regular && isUnsized(node.identity.device, fd)
    const takes = regular && !unsized && kernelTakesFiles()
    // Nobody can map what he cannot read, so that direct I/O takes nothing from him.
    const small = takes && made && !node.refused && lastMadeSize <= smallMost
    const backingId = takes && !small ? backings.open(node, fd) : undefined
    const fh = opened.add({ node, flags: flagsFor(flags), byKernel: backingId !== undefined, made: made && takes, fd })
    if (backingId === undefined) {
      const pages = small || unsized ? FOPEN_DIRECT_IO : keepsPages(node, fd, made) ? FOPEN_KEEP_CACHE : 0
      return { fh, openFlags: pages | FOPEN_NOFLUSH }
    }
    // The kernel would append for ever, also when the flag has been cleared, and leaves set-group-ID to a group
    // that may not execute the file: such writes come here, mappings do not.
    const direct =
      (flags & O_APPEND) !== 0 || ((flags & O_ACCMODE) !== 0 && keepsSetGroupId(fd, context)) ? FOPEN_DIRECT_IO : 0
    return { fh, openFlags: FOPEN_PASSTHROUGH | FOPEN_NOFLUSH | direct, backingId }
  }

  /** As `opening`, of a file that the kernel has attributes of. */
  const openingKnown = (node: Node, fd: number, flags: number, context: RequestContext): Open => {
    const open = opening(node, fd, flags, context, true, false)
    // From now on the kernel is told that they do not last, but it would trust the ones that it has: a write through a
    // mapping changes no time of its own.
    if (open.backingId !== undefined && (flags & O_ACCMODE) !== 0) dropAttributes(served, node.id)
    return open
  }

  const created = (
    nodeid: U64,
    name: Name,
    opened: number,
    flags: number,
    { isMasked, mode }: CreationMode,
    context: RequestContext
  ): Exit.Exit<Created> | Failure => {
    const fd = room.keepMade(opened)
    // Its attributes have just been seen, unless they have to be changed.
    let status = isMasked ? files.fs_chmod(fd, mode) : 0
    if (status >= 0 && (isMasked || name === "")) status = files.fs_stat(fd)
    if (status < 0) {
      files.fs_close(fd)
      return failureOf(status)
    }
    const attr = attributes.attr()
    const node = nodes.adopt(fd, attributes.identity(), nodes.get(nodeid), name, true)
    const open = opening(
      node,
      fd,
      flags,
      context,
      (attr.mode & S_IFMT) === S_IFREG,
      (flags & (O_ACCMODE | O_EXCL)) === (O_WRONLY | O_EXCL)
    )
    return Exit.succeed({ entry: entryOf(served, node, attr), open })
  }

  /** Whether the kernel may keep the list of a directory's entries, and may use the one that it kept. */
  const keeping = (node: Node, fd: number): number => {
    const freshness = freshnessOf(node, fd)
    return freshness === "same" ? FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE : freshness === "settled" ? FOPEN_CACHE_DIR : 0
  }

  /** Whether the kernel may use the pages of a file that it has: with `writebackCache` nobody else writes. */
  const keepsPages = (node: Node, fd: number, made: boolean): boolean =>
    made || options.writebackCache === true || freshnessOf(node, fd) === "same"

  const appends = ({ flags, writeFlags }: Pick<WriteRequest, "flags" | "writeFlags">): boolean =>
    (flags & O_APPEND) !== 0 && (writeFlags & FUSE_WRITE_CACHE) === 0

  /** What a write takes away. */
  const written = (
    { nodeid, writeFlags }: Pick<WriteRequest, "nodeid" | "writeFlags">,
    fd: number,
    context: RequestContext
  ): void => {
    if ((writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0) killSuidSgid(served, nodeid, fd, context)
    // Where it was negotiated the kernel says it of each write that is to clear anything.
    else if ((writeFlags & FUSE_WRITE_CACHE) === 0 && served.negotiated?.handleKillprivV2 !== true)
      killUnlessRoot(served, nodeid, fd, context)
  }

  const writeBuf: NonNullable<Backend["writeBuf"]> = (request, context) => {
    const fd = opened.descriptor(request.fh)
    if (fd < 0) return failureOf(fd)
    // splice(2) cannot append.
    if (appends(request)) {
      const count = files.fs_write(fd, request.data.bytes(), request.offset, RWF_APPEND)
      if (count < 0) return failureOf(count)
      written(request, fd, context)
      return Exit.succeed(count)
    }
    const count = request.data.spliceTo(fd, request.offset)
    if (Exit.isSuccess(count)) written(request, fd, context)
    return count
  }

  return {
    open: ({ flags, nodeid }, context) => {
      nodes.trim()
      const node = nodes.get(nodeid)
      const file = descriptorOf(served, nodeid)
      if (node === undefined || file < 0) return failureOf(file)
      if ((flags & (O_ACCMODE | O_TRUNC)) !== 0 && !isReached(served, node, context)) return Errno.ESTALE
      const byKernel = openingByKernel(node, flags)
      if (byKernel !== undefined) return Exit.succeed(byKernel)
      const first = nodes.withRoom(() => openWith(flags, (own) => files.fs_open(file, own, 0)))
      const fd = first < 0 ? first : room.keep(first, limits.files)
      if (fd === -EAGAIN) {
        return Effect.flatMap(openWaiting(file, flagsFor(flags)), (late) => {
          const kept = late < 0 ? late : room.keep(late, limits.files)
          return kept < 0 ? failureOf(kept) : Exit.succeed(openingKnown(node, kept, flags, context))
        })
      }
      if (fd < 0) return failureOf(fd)
      return Exit.succeed(openingKnown(node, fd, flags, context))
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
      return fd < 0 ? failureOf(fd) : created(nodeid, name, fd, flags, given, context)
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
      return fd < 0 ? failureOf(fd) : created(nodeid, "", fd, flags, given, context)
    },
    release: ({ fh }) => {
      const file = opened.remove(fh)
      if (file === undefined) return done
      if (file.byKernel) backings.close(file.node)
      if (file.made) lastMadeSize = attributes.size()
      return done
    },
    read: ({ fh, offset, size }) => {
      const fd = opened.descriptor(fh)
      return fd < 0 ? failureOf(fd) : Exit.succeed({ fd, offset, length: size })
    },
    write: (request, context) => {
      const fd = opened.descriptor(request.fh)
      if (fd < 0) return failureOf(fd)
      const count = files.fs_write(fd, request.data, request.offset, appends(request) ? RWF_APPEND : 0)
      if (count < 0) return failureOf(count)
      written(request, fd, context)
      return Exit.succeed(count)
    },
    ...(options.spliceRead === true ? { writeBuf } : {}),
    fallocate: ({ fh, length, mode, nodeid, offset }, context) => {
      const fd = opened.descriptor(fh)
      return fd < 0
        ? failureOf(fd)
        : answered(changed(nodeid, fd, context, files.fs_fallocate(fd, mode, offset, length)))
    },
    lseek: ({ fh, offset, whence }) => {
      const fd = opened.descriptor(fh)
      if (fd < 0) return failureOf(fd)
      // Before the beginning is a number beyond the largest, on the wire.
      const found = files.fs_seek(fd, typeof offset === "bigint" ? BigInt.asIntN(64, offset) : offset, whence)
      return found < 0 ? failureOf(Number(found)) : Exit.succeed(found)
    },
    copyFileRange: ({ fhIn, fhOut, len, nodeidOut, offIn, offOut }, context) => {
      const from = opened.descriptor(fhIn)
      const to = opened.descriptor(fhOut)
      if (from < 0 || to < 0) return failureOf(Math.min(from, to))
      return awaited(
        () => files.fs_copy(from, offIn, to, offOut, len > copyMax ? copyMax : len),
        (copied) => {
          changed(nodeidOut, to, context, 0)
          return copied
        }
      )
    },
    fsync: ({ fh, fsyncFlags }) => {
      const fd = opened.descriptor(fh)
      return fd < 0
        ? failureOf(fd)
        : awaited(
            () => files.fs_sync(fd, (fsyncFlags & 1) !== 0 ? 1 : 0),
            () => undefined
          )
    },
    opendir: ({ nodeid }) => {
      nodes.trim()
      const node = nodes.get(nodeid)
      const folder = folderOf(served, nodeid)
      const first = folder < 0 ? folder : nodes.withRoom(() => openToList(folder))
      const fd = first < 0 ? first : room.keep(first, limits.directories)
      if (node === undefined || fd < 0) return failureOf(fd)
      node.opens++
      return Exit.succeed({ fh: listings.add(new Listing(node, fd)), openFlags: keeping(node, fd) })
    },
    readdir: ({ fh, offset }) => {
      const listing = listings.get(fh)
      if (listing === undefined) return Errno.ESTALE
      const entries = listing.entries(offset)
      return typeof entries === "number" ? failureOf(entries) : Exit.succeed(entries)
    },
    releasedir: ({ fh }) => {
      const listing = listings.remove(fh)
      if (listing === undefined) return done
      listing.node.opens--
      listing.close()
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
    },
    syncfs: () =>
      awaited(
        () => files.fs_sync(nodes.root.fd, 2),
        () => undefined
      )
  }
}
