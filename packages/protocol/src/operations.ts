/**
 * The operations of the protocol: what each does, what it is answered with, and how it is treated. Every list of
 * operations elsewhere is derived from these rows, so a new operation is a row here and its fields in the generator's
 * spec; the compiler names what else it needs.
 */
import type { ErrnoName } from "./errno.ts"
import type { Request } from "./generated/messages.ts"
import type { ReplyTypes } from "./replyTypes.ts"

/** An operation's name, as a backend has it. */
export type OperationName = Request["op"]

/** What is answered, by kind; `none`: the kernel takes no reply. */
export type ReplyKind = keyof ReplyTypes | "none"

interface Row {
  readonly reply: ReplyKind
  readonly takesName?: true
  readonly onlyLooks?: true
  readonly changesNamespace?: true
  readonly mutates?: true
  readonly payload?: "data" | "value"
  readonly interruptible?: true
  readonly bySession?: true
  readonly unlimited?: true
  readonly kernelDoesWithout?: true
  readonly whenAbsent?: ErrnoName | "empty"
  readonly whenAbsentWithFlags?: ErrnoName
}

const rows = {
  lookup: { reply: "found", onlyLooks: true, takesName: true },
  forget: { reply: "none", bySession: true, unlimited: true },
  getattr: { reply: "attributes", onlyLooks: true },
  setattr: { reply: "attributes", mutates: true },
  readlink: { reply: "target", onlyLooks: true },
  symlink: { reply: "entry", takesName: true, changesNamespace: true },
  mknod: { reply: "entry", takesName: true, changesNamespace: true },
  mkdir: { reply: "entry", takesName: true, changesNamespace: true },
  unlink: { reply: "nothing", takesName: true, changesNamespace: true },
  rmdir: { reply: "nothing", takesName: true, changesNamespace: true },
  rename: {
    reply: "nothing",
    takesName: true,
    changesNamespace: true,
    whenAbsent: "ENOSYS",
    whenAbsentWithFlags: "EINVAL"
  },
  link: { reply: "entry", changesNamespace: true, whenAbsent: "EPERM" },
  open: { reply: "opened", whenAbsent: "empty" },
  read: { reply: "data", onlyLooks: true, interruptible: true },
  write: { reply: "written", mutates: true, payload: "data" },
  statfs: { reply: "usage", onlyLooks: true, whenAbsent: "empty" },
  release: { reply: "nothing", unlimited: true, whenAbsent: "empty" },
  fsync: { reply: "nothing", whenAbsent: "empty" },
  setxattr: { reply: "nothing", mutates: true, payload: "value", whenAbsent: "ENOTSUP" },
  getxattr: { reply: "xattr", onlyLooks: true, whenAbsent: "ENOTSUP" },
  listxattr: { reply: "xattr", onlyLooks: true, whenAbsent: "ENOTSUP" },
  removexattr: { reply: "nothing", mutates: true, whenAbsent: "ENOTSUP" },
  flush: { reply: "nothing", unlimited: true, whenAbsent: "empty" },
  init: { reply: "agreed", bySession: true, unlimited: true },
  opendir: { reply: "opened", whenAbsent: "empty" },
  readdir: { reply: "listing", onlyLooks: true },
  releasedir: { reply: "nothing", unlimited: true, whenAbsent: "empty" },
  fsyncdir: { reply: "nothing", whenAbsent: "empty" },
  getlk: { reply: "lock", onlyLooks: true, unlimited: true, kernelDoesWithout: true },
  setlk: { reply: "nothing", unlimited: true, kernelDoesWithout: true },
  setlkw: { reply: "nothing", interruptible: true, unlimited: true, kernelDoesWithout: true },
  access: { reply: "nothing", onlyLooks: true, whenAbsent: "empty" },
  create: { reply: "created", takesName: true, changesNamespace: true, kernelDoesWithout: true },
  interrupt: { reply: "none", bySession: true, unlimited: true },
  bmap: { reply: "block", onlyLooks: true, whenAbsent: "EINVAL" },
  destroy: { reply: "nothing", bySession: true, unlimited: true },
  ioctl: { reply: "ioctl", payload: "data", interruptible: true },
  poll: { reply: "events", interruptible: true, unlimited: true, whenAbsent: "empty" },
  notifyReply: { reply: "none", payload: "data", bySession: true, unlimited: true },
  batchForget: { reply: "none", bySession: true, unlimited: true },
  fallocate: { reply: "nothing", mutates: true, whenAbsent: "ENOTSUP" },
  readdirplus: { reply: "listingPlus", onlyLooks: true, kernelDoesWithout: true },
  lseek: { reply: "position", onlyLooks: true, whenAbsent: "EINVAL" },
  copyFileRange: { reply: "copied", mutates: true, whenAbsent: "ENOTSUP" },
  setupmapping: { reply: "nothing" },
  removemapping: { reply: "nothing" },
  syncfs: { reply: "nothing", whenAbsent: "empty" },
  tmpfile: { reply: "created", changesNamespace: true, whenAbsent: "ENOTSUP" },
  statx: { reply: "statx", onlyLooks: true, kernelDoesWithout: true }
} as const satisfies { readonly [Op in OperationName]: Row }

type Rows = typeof rows

/** What is known of an operation. */
export interface OperationTraits {
  readonly reply: ReplyKind
  /** Its `name` is an entry of the directory `nodeid`. */
  readonly takesName: boolean
  /** Only looks: stopped half done, it leaves nothing behind. */
  readonly onlyLooks: boolean
  /** Adds, removes or moves a name. */
  readonly changesNamespace: boolean
  /** Changes the filesystem: names, contents or attributes. */
  readonly mutates: boolean
  /** A successful reply hands out a file or directory handle, which RELEASE or RELEASEDIR gives back. */
  readonly opensHandle: boolean
  /** The field of the request that is a view into the memory of its slot. */
  readonly payload: "data" | "value" | undefined
  /** An INTERRUPT stops it, where the backend says nothing else. */
  readonly interruptible: boolean
  /** Answered by the session itself, not by an operation of the backend. */
  readonly bySession: boolean
  /** Never counted by limits and never held back: it waits by nature, or ends the waits of others. */
  readonly unlimited: boolean
  /** After ENOSYS the kernel does the same by other operations, or by itself. */
  readonly kernelDoesWithout: boolean
  /**
   * What its caller meets at a backend that lacks it: the kernel makes it of ENOSYS where that is remembered
   * (`enosysIsSticky` of the opcode), and is told it where it is not, or where others on the same connection have the
   * operation. `empty`: success, and nothing in it.
   */
  readonly whenAbsent: ErrnoName | "empty"
  /** The same for a request with flags, which ask for more than the plain operation. */
  readonly whenAbsentWithFlags: ErrnoName | undefined
}

const traits = ({ reply, ...row }: Row): OperationTraits => ({
  reply,
  takesName: row.takesName ?? false,
  onlyLooks: row.onlyLooks ?? false,
  changesNamespace: row.changesNamespace ?? false,
  mutates: row.mutates ?? row.changesNamespace ?? false,
  opensHandle: reply === "opened" || reply === "created",
  payload: row.payload,
  interruptible: row.interruptible ?? false,
  bySession: row.bySession ?? false,
  unlimited: row.unlimited ?? false,
  kernelDoesWithout: row.kernelDoesWithout ?? false,
  whenAbsent: row.whenAbsent ?? "ENOSYS",
  whenAbsentWithFlags: row.whenAbsentWithFlags
})

const names = Object.keys(rows) as ReadonlyArray<OperationName>

/** Every operation of the protocol, also those that the session answers itself. */
export const operations: Readonly<Record<OperationName, OperationTraits>> = Object.fromEntries(
  names.map((name) => [name, traits(rows[name])])
) as Record<OperationName, OperationTraits>

/** Operations whose row says `Trait: true`. */
type Marked<Trait extends string> = {
  readonly [Op in OperationName]: Rows[Op] extends { readonly [Name in Trait]: true } ? Op : never
}[OperationName]

/** Operations that add, remove or move a name. */
export type NamespaceOperation = Marked<"changesNamespace">
/** Operations that a backend may have. */
export type BackendOperation = Exclude<OperationName, Marked<"bySession">>
/** Kinds of reply that may have to be given empty. */
export type EmptyReplyKind = {
  readonly [Op in OperationName]: Rows[Op] extends { readonly whenAbsent: "empty" } ? Rows[Op]["reply"] : never
}[OperationName]
/** The kind of reply that an operation is answered with. */
export type ReplyKindOf<Op extends OperationName> = Rows[Op]["reply"]

/** Every operation that a backend may have, by the name it has there. */
export const operationNames: ReadonlyArray<BackendOperation> = names.filter(
  (name): name is BackendOperation => !operations[name].bySession
)

/** The operations of a backend with a trait. */
export const operationsWhere = (holds: (traits: OperationTraits) => boolean): ReadonlyArray<BackendOperation> =>
  operationNames.filter((name) => holds(operations[name]))
