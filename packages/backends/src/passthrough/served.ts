/** What the operations of a served directory share. */
import {
  type Attr,
  type AttrReply,
  type Entry,
  errnoNumbers,
  type Name,
  type Negotiated,
  type Timespec,
  type U64
} from "@bickford/protocol"
import type { BackendConnection, RequestContext } from "@bickford/session"
import { type CoveredPlace, files } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { type Failure, failureOf } from "./answers.ts"
import type { Attributes } from "./attributes.ts"
import type { Backings } from "./backing.ts"
import type { Caller } from "./caller.ts"
import { coveredName, openCovered } from "./covered.ts"
import type { CreationMode } from "./creation.ts"
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from "../posix/linux.ts"
import type { DescriptorLimits, Room } from "./descriptors.ts"
import type { IdMap } from "./ids.ts"
import type { Listings } from "./listings.ts"
import type { Node, Nodes } from "./nodes.ts"
import type { OpenFiles } from "./openFiles.ts"
import type { PassthroughOptions } from "./options.ts"

export interface Served {
  readonly options: PassthroughOptions
  readonly nodes: Nodes
  readonly attributes: Attributes
  readonly caller: Caller
  readonly uids: IdMap
  readonly gids: IdMap
  /** `umask`: the caller's, 0 where the kernel has applied it. */
  readonly creationMode: (folder: number, mode: number, umask: number) => CreationMode
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** Undefined where the kernel is to ask for a missing name each time. */
  readonly negativeValid: Timespec | undefined
  readonly backings: Backings
  readonly limits: DescriptorLimits
  readonly room: Room
  readonly opened: OpenFiles
  readonly listings: Listings
  /** Undefined until INIT. */
  connection: BackendConnection | undefined
  negotiated: Negotiated | undefined
}

/** The descriptor of a node, or a negative errno. */
export const descriptorOf = ({ nodes }: Served, nodeid: U64): number => {
  const node = nodes.get(nodeid)
  return node === undefined ? -errnoNumbers.ESTALE : nodes.descriptor(node)
}

/** The descriptor of a directory in which names are to be looked up or changed, or a negative errno. */
export const folderOf = ({ nodes }: Served, nodeid: U64): number => {
  const node = nodes.get(nodeid)
  return node === undefined ? -errnoNumbers.ESTALE : nodes.folder(node)
}

/**
 * Whether a node may be changed: not when its name, or that of a directory above it, leads elsewhere by now, because
 * others have moved or removed it within the time for which the kernel trusts names. The change would be lost. ESTALE
 * then has the kernel look the path up again, and do the call anew (path_openat and retry_estale in fs/namei.c). Who
 * comes back all the same came by no name: by a descriptor (/proc/self/fd) or from a working directory. Where the kernel
 * trusts no name it has just looked the path up, and nothing is asked again.
 */
export const isReached = ({ entryValid, nodes }: Served, node: Node, { pid }: RequestContext): boolean =>
  (entryValid.sec === 0 && entryValid.nsec === 0) || nodes.isReachable(node) || nodes.wasSentBack(node, pid)

/** As `folderOf`, of a directory in which names are to be changed. */
export const changingFolderOf = (served: Served, nodeid: U64, context: RequestContext): number => {
  const node = served.nodes.get(nodeid)
  if (node === undefined || !isReached(served, node, context)) return -errnoNumbers.ESTALE
  return served.nodes.folder(node)
}

const openedByKernel: ReadonlySet<number> = new Set([S_IFIFO, S_IFCHR, S_IFBLK])

/**
 * Whether a FIFO or a device was removed through the mount. The kernel opens those without a word and knows that the name is gone:
 * what changes one now has it open.
 */
const wasRemovedHere = ({ attributes, nodes }: Served, node: Node): boolean => {
  if (!nodes.mayBeRemoved(node)) return false
  const fd = nodes.descriptor(node)
  return fd >= 0 && files.fs_stat(fd) >= 0 && attributes.nlink() === 0 && openedByKernel.has(attributes.mode() & S_IFMT)
}

/** As `descriptorOf`, of a node that is to be changed. What is open may be changed by a descriptor, which no ESTALE brings back. */
export const changingDescriptorOf = (served: Served, nodeid: U64, context: RequestContext): number => {
  const node = served.nodes.get(nodeid)
  if (
    node === undefined ||
    (served.nodes.opens(node) === 0 && !wasRemovedHere(served, node) && !isReached(served, node, context))
  )
    return -errnoNumbers.ESTALE
  return served.nodes.descriptor(node)
}

const notAtAll: Timespec = { sec: 0, nsec: 0 }

/** How long attributes may be trusted: not at all while the kernel itself writes to the file, without a word. */
export const attributesValid = ({ attrValid, backings }: Served, node: Node | undefined): Timespec =>
  node === undefined || !backings.isOpen(node) ? attrValid : notAtAll

/**
 * The file's attributes have changed, or will without a word: the kernel is to ask for them, though it was told how long
 * it may trust them. Only from inside an operation on the file.
 */
export const dropAttributes = ({ connection }: Served, nodeid: U64): void => connection?.notify.dropAttributes(nodeid)

export const entryOf = (served: Served, node: Node, attr: Attr): Entry => ({
  nodeid: node.id,
  generation: node.generation,
  entryValid: served.entryValid,
  attrValid: attributesValid(served, node),
  attr
})

/** What lies underneath a mount of this process, by a descriptor that stays: its path leads into the mount. */
const entryCovered = (served: Served, parent: U64, place: CoveredPlace, name: Name): Exit.Exit<Entry> | Failure => {
  const { attributes, nodes } = served
  const fd = openCovered(place)
  const status = fd < 0 ? fd : files.fs_stat(fd)
  if (status < 0) return failureOf(status)
  const attr = attributes.attr()
  const node = nodes.adopt(attributes, fd, parent, name)
  node.pinned = true
  return Exit.succeed(entryOf(served, node, attr))
}

/** What is under a name now: its node, known or new. The directory's descriptor is that of `nodeid`. */
export const entryUnder = (served: Served, nodeid: U64, folder: number, name: Name): Exit.Exit<Entry> | Failure => {
  const { attributes, nodes } = served
  const place = coveredName(folder, name)
  if (place !== undefined) return entryCovered(served, nodeid, place, name)
  const seen = nodes.look(folder, name, nodeid)
  if (typeof seen !== "number") return Exit.succeed(entryOf(served, seen, attributes.attr()))
  if (seen < 0) return failureOf(seen)
  const fd = nodes.withRoom(() => files.fs_find(folder, name))
  if (fd < 0) return failureOf(fd)
  // Seen anew: another file may have taken the name in between.
  const attr = attributes.attr()
  return Exit.succeed(entryOf(served, nodes.adopt(attributes, fd, nodeid, name), attr))
}

/** The answer that tells a node's attributes, and how long they may be trusted. */
export const attributesReply = (served: Served, nodeid: U64, attr: Attr): Exit.Exit<AttrReply> =>
  Exit.succeed({ attrValid: attributesValid(served, served.nodes.get(nodeid)), attr })

/** Runs `change` in a directory as the caller, then tells what is under the name. */
export const made = (
  served: Served,
  nodeid: U64,
  name: Name,
  context: RequestContext,
  extensions: Parameters<Caller["as"]>[1],
  change: (folder: number) => number
): Exit.Exit<Entry> | Failure => {
  served.nodes.trim()
  const folder = changingFolderOf(served, nodeid, context)
  if (folder < 0) return failureOf(folder)
  const status = served.caller.as(context, extensions, () => change(folder))
  return status < 0 ? failureOf(status) : entryUnder(served, nodeid, folder, name)
}
