/**
 * Who may do what: the checks that the kernel makes for a mount with `default_permissions`, before it sends a request.
 *
 * They go by owner, group and mode (path_resolution(7), unlink(2) on the sticky bit). ACLs are not asked.
 */
import { type Attr, statMode } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { Errno, type ErrnoError } from "../errno.ts"
import type { Answered, Fault, KernelSide } from "./KernelSide.ts"
import type { Node } from "./Node.ts"

/** Who calls. */
export interface Caller {
  readonly uid: number
  readonly gid: number
  /** All groups, `gid` among them or not. */
  readonly groups: ReadonlyArray<number>
}

/** The bits of access(2): R_OK, W_OK and X_OK, and what is asked of a directory by them. */
export const mayRead = 4
export const mayWrite = 2
export const mayExecute = 1

/** What a caller is asked about, before a request is sent. Each fails with EACCES or EPERM, as the kernel does. */
export interface Rules<F extends Fault = never> {
  /** Access to a node, by bits of `mayRead`, `mayWrite`, `mayExecute`. */
  readonly access: (node: Node, mask: number) => Answered<void, F>
  /** Removing or moving `victim` out of `directory`. */
  readonly remove: (directory: Node, victim: Node) => Answered<void, F>
  /** Changing what only the owner may: permissions, times. Gives the attributes, undefined where nobody asked. */
  readonly own: (node: Node) => Answered<Attr | undefined, F>
  /** Whether set-user-ID and set-group-ID go when this caller writes. */
  readonly killsPrivileges: boolean
  /** Undefined: nothing is checked. */
  readonly caller: Caller | undefined
}

/** Nothing is checked. */
export const noRules: Rules = {
  access: () => Effect.void,
  remove: () => Effect.void,
  own: () => Effect.succeed(undefined),
  killsPrivileges: false,
  caller: undefined
}

const { S_IFDIR, S_IFMT, S_ISVTX } = statMode
const anyExecute = 0o111

/** Whether the caller is in a group. */
export const isIn = ({ gid, groups }: Caller, group: number): boolean => gid === group || groups.includes(group)

/** The errno of an access that is refused; undefined where it is not. */
const refused = (caller: Caller, { gid, mode, uid }: Attr, mask: number): boolean => {
  if (caller.uid === 0)
    // CAP_DAC_OVERRIDE: all but the execution of a file that nobody may execute.
    return (mask & mayExecute) !== 0 && (mode & S_IFMT) !== S_IFDIR && (mode & anyExecute) === 0
  const bits = caller.uid === uid ? mode >> 6 : isIn(caller, gid) ? mode >> 3 : mode
  return (mask & ~bits & 7) !== 0
}

/** The rules for `caller`. */
export const rulesFor = <F extends Fault>({ call }: KernelSide<F>, caller: Caller): Rules<F> => {
  const attributes = ({ attr, nodeid }: Node): Answered<Attr, F> =>
    attr === undefined
      ? Effect.map(call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), (reply) => reply.attr)
      : Effect.succeed(attr)
  const access = (node: Node, mask: number): Answered<void, F> => {
    if (mask === 0 || (caller.uid === 0 && (mask & mayExecute) === 0)) return Effect.void
    return Effect.flatMap(attributes(node), (attr): Effect.Effect<void, ErrnoError> =>
      refused(caller, attr, mask) ? Errno.EACCES : Effect.void
    )
  }
  return {
    caller,
    killsPrivileges: caller.uid !== 0,
    access,
    remove: (directory, victim) => {
      if (caller.uid === 0) return Effect.void
      return Effect.gen(function* () {
        yield* access(directory, mayWrite | mayExecute)
        const above = yield* attributes(directory)
        if ((above.mode & S_ISVTX) === 0 || above.uid === caller.uid) return
        const { uid } = yield* attributes(victim)
        if (uid !== caller.uid) return yield* Errno.EPERM
      })
    },
    own: (node) =>
      Effect.flatMap(attributes(node), (attr): Effect.Effect<Attr, ErrnoError> =>
        caller.uid === 0 || caller.uid === attr.uid ? Effect.succeed(attr) : Errno.EPERM
      )
  }
}
