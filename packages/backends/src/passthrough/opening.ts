/** Files as the kernel is told that they are open: whether it reads and writes them by itself, and which pages it may use. */
import { type Open, openReplyFlags } from "@bickford/protocol"
import type { RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import { O_ACCMODE, O_APPEND, O_TRUNC, S_ISGID, S_IXGRP } from "../posix/linux.ts"
import { makeFreshness } from "./freshness.ts"
import type { Node } from "./nodes.ts"
import type { OpenFlags } from "./openFlags.ts"
import { dropAttributes, type Served } from "./served.ts"
import { makeUnsized } from "./unsized.ts"

const { FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH, FOPEN_PASSTHROUGH } = openReplyFlags

/**
 * Bytes up to which a new file is written sooner through this process, without the kernel's cache: for it to be
 * registered costs as much, and so does the question for `security.capability` that comes before each write by the
 * kernel. Where there are no such questions, only a file to which nothing is written is better off.
 */
const smallFile = 128 * 1024

export const makeOpening = (served: Served, { atime, flagsFor }: OpenFlags) => {
  const { attributes, backings, opened, options, room } = served
  const smallMost = options.xattrs === false ? 0 : smallFile
  /**
   * The next file that is made to be new and written is taken to become as large as the last one. (One that is made
   * without O_EXCL may be the output of a program that runs for long: its writes should not need this process.)
   */
  const isMadeSmall = (): boolean => opened.lastMadeSize() <= smallMost

  /** Whether a write by others than root must clear set-group-ID that the kernel would keep; the mode is the cheaper one to look at. */
  const keepsSetGroupId = (fd: number, context: RequestContext): boolean =>
    (served.negotiated?.allowIdmap === true || context.uid !== 0) &&
    files.fs_stat(fd) === 0 &&
    (attributes.mode() & (S_ISGID | S_IXGRP)) === S_ISGID &&
    context.uid !== 0

  const freshnessOf = makeFreshness(attributes)
  const isUnsized = makeUnsized()

  /** What the kernel reads by itself it marks as the filesystem underneath has it: not with noatime. */
  const kernelTakesFiles = (): boolean =>
    options.kernelPassthrough !== false && served.negotiated?.passthrough === true && atime().files !== "noatime"

  /** Whether the kernel may use the pages of a file that it has: with `writebackCache` nobody else writes. */
  const keepsPages = (node: Node, fd: number, made: boolean): boolean =>
    made || options.writebackCache === true || freshnessOf(node, fd) === "same"

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
    const small = takes && made && !node.refused && isMadeSmall()
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

  return {
    byKernel: openingByKernel,
    known: openingKnown,
    open: opening
  }
}
