/** What all operations of a path filesystem share: its nodes, the paths in use, and its attributes. */
import type { AttrReply, Entry, Name, U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { type Checks, flag, is, seconds } from "../checkOptions.ts"
import { timespec } from "../posix/clock.ts"
import { nameTooLong } from "../posix/names.ts"
import { checked, forms } from "./answers.ts"
import { attrOf, hasSize } from "./attributes.ts"
import type { PathAttributes, PathCallbacks } from "./callbacks.ts"
import { makePathLocks, type PathLocks } from "./locks.ts"
import { nameText, type PathNode } from "./node.ts"
import { PathNodes } from "./nodes.ts"
import { andThen, outcome, type Outcome } from "./outcome.ts"

/** Timeouts and ownership of a filesystem by path. */
export interface PathOptions {
  /** Seconds that the kernel may trust names. Default 1; 0 for what changes by itself. */
  readonly entryTimeout?: number
  /** Seconds that the kernel may trust attributes, likewise. Default 1. */
  readonly attrTimeout?: number
  /**
   * The callbacks for extended attributes serve POSIX ACLs (`system.posix_acl_access` and `_default`), in the form of
   * acl(5)'s xattrs: the kernel checks permissions by them. They keep the mode in step (chmod sets the mask, a new ACL
   * sets the mode), let new files inherit default ACLs, and apply `context.umask` to what has none. Default: false, ACLs
   * are refused with EOPNOTSUPP.
   */
  readonly posixAcl?: boolean
  /** What stops each operation, as `Backend.interruptible` has it. A Promise is then waited for no more. */
  readonly interruptible?: Backend["interruptible"]
}

/**
 * `interruptible` for callbacks that nothing can stop once they are called, as those with Promises: a caller that is killed waits for
 * none of these. A change of names goes on without it; the others are waited for no more.
 */
export const leftByKilled: NonNullable<PathOptions["interruptible"]> = {
  open: "fatal",
  opendir: "fatal",
  create: "fatal",
  mkdir: "fatal",
  mknod: "fatal",
  unlink: "fatal",
  rmdir: "fatal",
  rename: "fatal",
  link: "fatal",
  symlink: "fatal",
  setattr: "fatal",
  flush: "fatal",
  fsync: "fatal"
}

export const pathChecks: Checks<PathOptions> = {
  entryTimeout: seconds,
  attrTimeout: seconds,
  posixAcl: flag,
  interruptible: is(
    (value) => typeof value === "object" && value !== null,
    "a list of operations, or an object by operation"
  )
}

export interface Served<H> {
  readonly callbacks: PathCallbacks<H>
  /** The callbacks serve ACLs. */
  readonly acls: boolean
  readonly nodes: PathNodes
  readonly locks: PathLocks
  /** Works on a node's path, which stays as it is meanwhile; without one `nameless` answers. */
  readonly at: <A>(nodeid: U64, then: (path: string, node: PathNode) => Outcome<A>) => Outcome<A>
  /** Works on a name in a directory. `moves`: the name is taken away, so nobody may be at work below it. */
  readonly inside: <A>(
    nodeid: U64,
    name: Name,
    then: (path: string, parent: PathNode, name: string) => Outcome<A>,
    moves?: "moves"
  ) => Outcome<A>
  readonly attributes: (path: string, context: RequestContext) => Outcome<PathAttributes>
  /** True when the last `getattr` answered before it returned, so that the next one probably costs no wait. */
  readonly attributesAtOnce: () => boolean
  /** True when the kernel may trust names for a while. */
  readonly keepsNames: boolean
  readonly attrReply: (node: PathNode, found: PathAttributes) => AttrReply
  /** The kernel holds the node from now on. */
  readonly entryOf: (node: PathNode, found: PathAttributes) => Entry
}

/**
 * The answer where a node has no path. Another file may have taken its name without the kernel's knowledge, as a rename whose caller was
 * killed does when it ends: at ESTALE the kernel looks the name up again. Who has a removed directory as its own is told of no entry.
 */
const nameless = ({ last }: PathNode): Outcome<never> => (last === undefined ? Errno.ESTALE : Errno.ENOENT)

export const makeServed = <H>(callbacks: PathCallbacks<H>, options: PathOptions): Served<H> => {
  const nodes = new PathNodes()
  const locks = makePathLocks(nodes)
  const entryValid = timespec(options.entryTimeout ?? 1)
  const attrValid = timespec(options.attrTimeout ?? 1)
  let atOnce = false

  const attr = (node: PathNode, found: PathAttributes) => {
    node.sizeless = !hasSize(found)
    return attrOf(node, found)
  }

  return {
    callbacks,
    acls: options.posixAcl === true,
    nodes,
    locks,
    at: (nodeid, then) => {
      const node = nodes.get(nodeid)
      if (node === undefined) return Errno.ESTALE
      return locks(
        () => ({ stay: [node], move: [] }),
        () => {
          const path = nodes.path(node)
          return path === undefined ? nameless(node) : then(path, node)
        }
      )
    },
    inside: (nodeid, name, then, moves) => {
      const parent = nodes.get(nodeid)
      if (parent === undefined) return Errno.ESTALE
      if (nameTooLong(name)) return Errno.ENAMETOOLONG
      const text = nameText(name)
      const claim = () => {
        const child = parent.children.get(text)
        if (child === undefined) return { stay: [parent], move: [] }
        return moves === undefined ? { stay: [child], move: [] } : { stay: [parent], move: [child] }
      }
      return locks(claim, () => {
        const path = nodes.pathOf(parent, text)
        return path === undefined ? Errno.ENOENT : then(path, parent, text)
      })
    },
    attributes: (path, context) => {
      const found = checked(
        andThen(
          outcome(() => callbacks.getattr(path, context)),
          (found): Outcome<PathAttributes> => (found === false ? Errno.ENOENT : Exit.succeed(found))
        ),
        "getattr",
        path,
        forms.attributes
      )
      atOnce = Exit.isExit(found)
      return found
    },
    attributesAtOnce: () => atOnce,
    keepsNames: (options.entryTimeout ?? 1) > 0,
    attrReply: (node, found) => ({ attrValid, attr: attr(node, found) }),
    entryOf: (node, found) => {
      node.known = true
      return { nodeid: node.id, generation: 0, entryValid, attrValid, attr: attr(node, found) }
    }
  }
}
