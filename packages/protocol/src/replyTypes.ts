/** What requests are answered with, as plain objects. */
import type {
  AttrReply,
  Entry,
  FileLock,
  InitReply,
  IoctlIovec,
  Open,
  Statfs,
  StatxReply
} from "./generated/messages.ts"
import type { Data, Name, U64 } from "./primitives.ts"

/** `struct fuse_entry_out`, then `struct fuse_open_out`: CREATE and TMPFILE. */
export interface Created {
  readonly entry: Entry
  readonly open: Open
}
/** A directory entry; `off` is the cookie of the *next* entry, `type` the DT_* value (mode >> 12). */
export interface Dirent {
  readonly ino: U64
  readonly off: U64
  readonly type: number
  readonly name: Name
}
/** `entry` undefined: no attributes (node id 0), as for `.` and `..`; it then adds no lookup. */
export interface DirentPlus extends Dirent {
  readonly entry: Entry | undefined
}
/** The size asked for by a call with size 0, or the value itself. */
export type XattrReply = { readonly size: number } | Data
/** `struct fuse_ioctl_out`; with FUSE_IOCTL_RETRY the iovecs to fetch and store. */
export type IoctlReply =
  | { readonly result: number; readonly data?: Data }
  | { readonly retry: { readonly inIovs: ReadonlyArray<IoctlIovec>; readonly outIovs: ReadonlyArray<IoctlIovec> } }

/** What requests are answered with when they succeed, by kind. */
export interface ReplyTypes {
  readonly nothing: void
  /** LOOKUP: the only entry that may name no node. */
  readonly found: Entry
  /** A name's new node. */
  readonly entry: Entry
  readonly attributes: AttrReply
  readonly statx: StatxReply
  /** A symlink's target. */
  readonly target: Name
  readonly opened: Open
  readonly created: Created
  /** At most as much as was asked for; less means that the file ends there. */
  readonly data: Data
  /** Bytes written. */
  readonly written: number
  readonly usage: Statfs
  readonly xattr: XattrReply
  readonly agreed: InitReply
  /** Entries from `request.offset` on; the packer stops when the next does not fit in `request.size`. */
  readonly listing: Iterable<Dirent>
  readonly listingPlus: Iterable<DirentPlus>
  /** The lock in the way, or one of type F_UNLCK. */
  readonly lock: FileLock
  /** A block of the device. */
  readonly block: U64
  readonly ioctl: IoctlReply
  /** Ready events (POLL*). */
  readonly events: number
  /** An offset in the file. */
  readonly position: U64
  /** Bytes copied. */
  readonly copied: U64
}
