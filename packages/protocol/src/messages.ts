/**
 * The messages of the FUSE protocol as plain objects: requests, replies, notifications.
 *
 * Fields are those of `include/uapi/linux/fuse.h` in camelCase. A request is one flat object: its
 * header's fields, then its own. `nodeid` is the node acted on (for operations on a name, the
 * directory that holds the name). Sizes and offsets are in bytes.
 */

/** An exact unsigned 64-bit number: a `number` when it is a safe integer, else a `bigint`. */
export type U64 = number | bigint
/** An exact signed 64-bit number, likewise. */
export type S64 = number | bigint
/** A file name: a string iff its bytes are valid UTF-8, else the bytes. Never with a NUL or `/`. */
export type Name = string | Uint8Array
/** A time: seconds since 1970 (negative before) and 0 to 999,999,999 nanoseconds. */
export interface Timespec {
  readonly sec: S64
  readonly nsec: number
}
/**
 * A reply's body: one view, or several that are sent gathered. A list that is `Disposable` is disposed of once
 * the reply is out: its memory can be used again, or be given back.
 */
export type Data = Uint8Array | ReadonlyArray<Uint8Array>

/** A reply's body that lies in an open file: read by the transport, straight into its memory. */
export interface FileRange {
  /** The number of a descriptor that stays open until the reply has been written. */
  readonly fd: number
  readonly offset: U64
  /** Bytes; the reply is shorter where the file ends before. */
  readonly length: number
}

// ---------------------------------------------------------------- shared structs

/** `struct fuse_attr`. */
export interface Attr {
  readonly ino: U64
  readonly size: U64
  /** 512-byte units. */
  readonly blocks: U64
  readonly atime: Timespec
  readonly mtime: Timespec
  readonly ctime: Timespec
  /** File type and permission bits, as in stat(2). */
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly blksize: number
  /** FUSE_ATTR_*. */
  readonly flags: number
}
/** `struct fuse_file_lock`; `end` is inclusive, 2^63-1 for "to the end". `type` is F_RDLCK, F_WRLCK or F_UNLCK. */
export interface FileLock {
  readonly start: U64
  readonly end: U64
  readonly type: number
  readonly pid: number
}
/** `struct fuse_statx`. */
export interface Statx {
  readonly mask: number
  readonly blksize: number
  readonly attributes: U64
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly mode: number
  readonly ino: U64
  readonly size: U64
  readonly blocks: U64
  readonly attributesMask: U64
  readonly atime: Timespec
  readonly btime: Timespec
  readonly ctime: Timespec
  readonly mtime: Timespec
  readonly rdevMajor: number
  readonly rdevMinor: number
  readonly devMajor: number
  readonly devMinor: number
}
/** One security context of a request's header extensions (`struct fuse_secctx`). */
export interface SecurityContext {
  readonly name: Name
  readonly value: Uint8Array
}
/** Header extensions (`total_extlen`), present on MKNOD, MKDIR, SYMLINK, CREATE and TMPFILE when negotiated. */
export interface Extensions {
  readonly securityContexts?: ReadonlyArray<SecurityContext>
  /** `struct fuse_supp_groups`. */
  readonly supplementaryGroups?: ReadonlyArray<number>
}

// ---------------------------------------------------------------- requests

/** `struct fuse_in_header`, without `len` and `opcode`. */
export interface RequestHeader {
  readonly unique: U64
  readonly nodeid: U64
  readonly uid: number
  readonly gid: number
  readonly pid: number
}
interface Named { readonly name: Name }
interface Extended { readonly extensions?: Extensions }
interface Handle { readonly fh: U64 }

export interface LookupRequest extends RequestHeader, Named { readonly op: "lookup" }
export interface ForgetRequest extends RequestHeader { readonly op: "forget"; readonly nlookup: U64 }
export interface GetattrRequest extends RequestHeader, Handle { readonly op: "getattr"; readonly getattrFlags: number }
export interface SetattrRequest extends RequestHeader, Handle {
  readonly op: "setattr"
  /** FATTR_*: which of the fields below are to be applied. */
  readonly valid: number
  readonly size: U64
  readonly lockOwner: U64
  readonly atime: Timespec
  readonly mtime: Timespec
  readonly ctime: Timespec
  readonly mode: number
  readonly newUid: number
  readonly newGid: number
}
export interface ReadlinkRequest extends RequestHeader { readonly op: "readlink" }
export interface SymlinkRequest extends RequestHeader, Named, Extended { readonly op: "symlink"; readonly target: Name }
export interface MknodRequest extends RequestHeader, Named, Extended {
  readonly op: "mknod"
  readonly mode: number
  readonly rdev: number
  readonly umask: number
}
export interface MkdirRequest extends RequestHeader, Named, Extended {
  readonly op: "mkdir"
  readonly mode: number
  readonly umask: number
}
export interface UnlinkRequest extends RequestHeader, Named { readonly op: "unlink" }
export interface RmdirRequest extends RequestHeader, Named { readonly op: "rmdir" }
/** RENAME and RENAME2 alike; `flags` (RENAME_*) is 0 for the former. */
export interface RenameRequest extends RequestHeader, Named {
  readonly op: "rename"
  readonly newdir: U64
  readonly newname: Name
  readonly flags: number
}
/** `nodeid` is the directory of the new name. */
export interface LinkRequest extends RequestHeader { readonly op: "link"; readonly oldnodeid: U64; readonly newname: Name }
export interface OpenRequest extends RequestHeader {
  readonly op: "open"
  /** open(2) flags with the kernel's values. */
  readonly flags: number
  /** FUSE_OPEN_*. */
  readonly openFlags: number
}
export interface ReadRequest extends RequestHeader, Handle {
  readonly op: "read"
  readonly offset: U64
  readonly size: number
  readonly readFlags: number
  readonly lockOwner: U64
  readonly flags: number
}
export interface WriteRequest extends RequestHeader, Handle {
  readonly op: "write"
  readonly offset: U64
  readonly size: number
  readonly writeFlags: number
  readonly lockOwner: U64
  readonly flags: number
  /** A view into the request's slot, valid until the operation's Effect ends. */
  readonly data: Uint8Array
}
export interface StatfsRequest extends RequestHeader { readonly op: "statfs" }
export interface ReleaseRequest extends RequestHeader, Handle {
  readonly op: "release"
  readonly flags: number
  readonly releaseFlags: number
  readonly lockOwner: U64
}
export interface FsyncRequest extends RequestHeader, Handle { readonly op: "fsync"; readonly fsyncFlags: number }
export interface SetxattrRequest extends RequestHeader, Named {
  readonly op: "setxattr"
  /** XATTR_CREATE, XATTR_REPLACE. */
  readonly flags: number
  readonly setxattrFlags: number
  readonly value: Uint8Array
}
/** `size` 0 asks for the size only. */
export interface GetxattrRequest extends RequestHeader, Named { readonly op: "getxattr"; readonly size: number }
export interface ListxattrRequest extends RequestHeader { readonly op: "listxattr"; readonly size: number }
export interface RemovexattrRequest extends RequestHeader, Named { readonly op: "removexattr" }
export interface FlushRequest extends RequestHeader, Handle { readonly op: "flush"; readonly lockOwner: U64 }
export interface InitRequest extends RequestHeader {
  readonly op: "init"
  readonly major: number
  readonly minor: number
  readonly maxReadahead: number
  /** FUSE_INIT flags: bits 0 to 31. */
  readonly flags: number
  /** Bits 32 to 63. */
  readonly flags2: number
}
export interface OpendirRequest extends RequestHeader { readonly op: "opendir"; readonly flags: number; readonly openFlags: number }
export interface ReaddirRequest extends RequestHeader, Handle {
  readonly op: "readdir"
  /** The cookie to go on from: 0, or a `Dirent.off` given before. */
  readonly offset: U64
  readonly size: number
  readonly readFlags: number
  readonly lockOwner: U64
  readonly flags: number
}
export interface ReaddirplusRequest extends Omit<ReaddirRequest, "op"> { readonly op: "readdirplus" }
export interface ReleasedirRequest extends RequestHeader, Handle {
  readonly op: "releasedir"
  readonly flags: number
  readonly releaseFlags: number
  readonly lockOwner: U64
}
export interface FsyncdirRequest extends RequestHeader, Handle { readonly op: "fsyncdir"; readonly fsyncFlags: number }
interface LockRequest extends RequestHeader, Handle {
  readonly owner: U64
  readonly lk: FileLock
  /** FUSE_LK_FLOCK when it is flock(2). */
  readonly lkFlags: number
}
export interface GetlkRequest extends LockRequest { readonly op: "getlk" }
export interface SetlkRequest extends LockRequest { readonly op: "setlk" }
/** Blocks until granted or interrupted. */
export interface SetlkwRequest extends LockRequest { readonly op: "setlkw" }
export interface AccessRequest extends RequestHeader { readonly op: "access"; readonly mask: number }
export interface CreateRequest extends RequestHeader, Named, Extended {
  readonly op: "create"
  readonly flags: number
  readonly mode: number
  readonly umask: number
  readonly openFlags: number
}
export interface InterruptRequest extends RequestHeader { readonly op: "interrupt"; readonly target: U64 }
export interface BmapRequest extends RequestHeader { readonly op: "bmap"; readonly block: U64; readonly blocksize: number }
export interface DestroyRequest extends RequestHeader { readonly op: "destroy" }
export interface IoctlRequest extends RequestHeader, Handle {
  readonly op: "ioctl"
  /** FUSE_IOCTL_*. */
  readonly flags: number
  readonly cmd: number
  readonly arg: U64
  readonly inSize: number
  readonly outSize: number
  readonly data: Uint8Array
}
export interface PollRequest extends RequestHeader, Handle {
  readonly op: "poll"
  /** Names this wait in a later FUSE_NOTIFY_POLL. */
  readonly kh: U64
  readonly flags: number
  readonly events: number
}
export interface NotifyReplyRequest extends RequestHeader { readonly op: "notifyReply"; readonly offset: U64; readonly size: number; readonly data: Uint8Array }
export interface BatchForgetRequest extends RequestHeader {
  readonly op: "batchForget"
  readonly forgets: ReadonlyArray<{ readonly nodeid: U64; readonly nlookup: U64 }>
}
export interface FallocateRequest extends RequestHeader, Handle {
  readonly op: "fallocate"
  readonly offset: U64
  readonly length: U64
  /** FALLOC_FL_*. */
  readonly mode: number
}
export interface LseekRequest extends RequestHeader, Handle { readonly op: "lseek"; readonly offset: U64; readonly whence: number }
/** COPY_FILE_RANGE and COPY_FILE_RANGE_64 alike; `wide` tells which reply is owed. */
export interface CopyFileRangeRequest extends RequestHeader {
  readonly op: "copyFileRange"
  readonly wide: boolean
  readonly fhIn: U64
  readonly offIn: U64
  readonly nodeidOut: U64
  readonly fhOut: U64
  readonly offOut: U64
  readonly len: U64
  readonly flags: U64
}
export interface SetupmappingRequest extends RequestHeader, Handle {
  readonly op: "setupmapping"
  readonly foffset: U64
  readonly len: U64
  readonly flags: U64
  readonly moffset: U64
}
export interface RemovemappingRequest extends RequestHeader {
  readonly op: "removemapping"
  readonly mappings: ReadonlyArray<{ readonly moffset: U64; readonly len: U64 }>
}
export interface SyncfsRequest extends RequestHeader { readonly op: "syncfs" }
export interface TmpfileRequest extends RequestHeader, Named, Extended {
  readonly op: "tmpfile"
  readonly flags: number
  readonly mode: number
  readonly umask: number
  readonly openFlags: number
}
export interface StatxRequest extends RequestHeader, Handle {
  readonly op: "statx"
  readonly getattrFlags: number
  readonly sxFlags: number
  readonly sxMask: number
}

export type Request =
  | LookupRequest | ForgetRequest | GetattrRequest | SetattrRequest | ReadlinkRequest | SymlinkRequest | MknodRequest
  | MkdirRequest | UnlinkRequest | RmdirRequest | RenameRequest | LinkRequest | OpenRequest | ReadRequest | WriteRequest
  | StatfsRequest | ReleaseRequest | FsyncRequest | SetxattrRequest | GetxattrRequest | ListxattrRequest
  | RemovexattrRequest | FlushRequest | InitRequest | OpendirRequest | ReaddirRequest | ReaddirplusRequest
  | ReleasedirRequest | FsyncdirRequest | GetlkRequest | SetlkRequest | SetlkwRequest | AccessRequest | CreateRequest
  | InterruptRequest | BmapRequest | DestroyRequest | IoctlRequest | PollRequest | NotifyReplyRequest
  | BatchForgetRequest | FallocateRequest | LseekRequest | CopyFileRangeRequest | SetupmappingRequest
  | RemovemappingRequest | SyncfsRequest | TmpfileRequest | StatxRequest

// ---------------------------------------------------------------- replies

/** `struct fuse_entry_out`. `nodeid` 0 in a LOOKUP reply says "no such name", cached for `entryValid`. */
export interface Entry {
  readonly nodeid: U64
  /** Changes when a node id is used again for another file. */
  readonly generation: U64
  /** How long the kernel may trust the name. */
  readonly entryValid: Timespec
  /** How long the kernel may trust the attributes. */
  readonly attrValid: Timespec
  readonly attr: Attr
}
/** `struct fuse_attr_out`. */
export interface AttrReply { readonly attrValid: Timespec; readonly attr: Attr }
/** `struct fuse_open_out`. */
export interface Open {
  readonly fh: U64
  /** FOPEN_*. */
  readonly openFlags: number
  /** From FUSE_DEV_IOC_BACKING_OPEN, with FOPEN_PASSTHROUGH. */
  readonly backingId?: number
}
/** `struct fuse_entry_out`, then `struct fuse_open_out`: CREATE and TMPFILE. */
export interface Created { readonly entry: Entry; readonly open: Open }
/** `struct fuse_kstatfs`. */
export interface Statfs {
  readonly blocks: U64
  readonly bfree: U64
  readonly bavail: U64
  readonly files: U64
  readonly ffree: U64
  readonly bsize: number
  readonly namelen: number
  readonly frsize: number
}
/** A directory entry; `off` is the cookie of the *next* entry, `type` the DT_* value (mode >> 12). */
export interface Dirent {
  readonly ino: U64
  readonly off: U64
  readonly type: number
  readonly name: Name
}
/** `entry` undefined: no attributes (node id 0), as for `.` and `..`; it then adds no lookup. */
export interface DirentPlus extends Dirent { readonly entry: Entry | undefined }
/** The size asked for by a call with size 0, or the value itself. */
export type XattrReply = { readonly size: number } | Data
/** `struct fuse_ioctl_out`; with FUSE_IOCTL_RETRY the iovecs to fetch and store. */
export type IoctlReply =
  | { readonly result: number; readonly data?: Data }
  | { readonly retry: { readonly inIovs: ReadonlyArray<IoctlIovec>; readonly outIovs: ReadonlyArray<IoctlIovec> } }
/** `struct fuse_ioctl_iovec`. */
export interface IoctlIovec { readonly base: U64; readonly len: U64 }
/** `struct fuse_statx_out`. */
export interface StatxReply { readonly attrValid: Timespec; readonly flags: number; readonly stat: Statx }
/** `struct fuse_init_out`. */
export interface InitReply {
  readonly major: number
  readonly minor: number
  readonly maxReadahead: number
  readonly flags: number
  readonly maxBackground: number
  readonly congestionThreshold: number
  readonly maxWrite: number
  readonly timeGran: number
  readonly maxPages: number
  readonly mapAlignment: number
  readonly flags2: number
  readonly maxStackDepth: number
  /** Seconds; 0 for none. */
  readonly requestTimeout: number
}

/** What a request of each kind is answered with, when it succeeds. */
export interface ReplyOf {
  readonly lookup: Entry
  readonly getattr: AttrReply
  readonly setattr: AttrReply
  readonly readlink: Name
  readonly symlink: Entry
  readonly mknod: Entry
  readonly mkdir: Entry
  readonly unlink: void
  readonly rmdir: void
  readonly rename: void
  readonly link: Entry
  readonly open: Open
  readonly read: Data
  /** Bytes written. */
  readonly write: number
  readonly statfs: Statfs
  readonly release: void
  readonly fsync: void
  readonly setxattr: void
  readonly getxattr: XattrReply
  readonly listxattr: XattrReply
  readonly removexattr: void
  readonly flush: void
  readonly init: InitReply
  readonly opendir: Open
  /** Entries from `request.offset` on; the packer stops when the next does not fit in `request.size`. */
  readonly readdir: Iterable<Dirent>
  readonly readdirplus: Iterable<DirentPlus>
  readonly releasedir: void
  readonly fsyncdir: void
  readonly getlk: FileLock
  readonly setlk: void
  readonly setlkw: void
  readonly access: void
  readonly create: Created
  readonly bmap: U64
  readonly destroy: void
  readonly ioctl: IoctlReply
  /** Ready events (POLL*). */
  readonly poll: number
  readonly fallocate: void
  readonly lseek: U64
  /** Bytes copied. */
  readonly copyFileRange: U64
  readonly setupmapping: void
  readonly removemapping: void
  readonly syncfs: void
  readonly tmpfile: Created
  readonly statx: StatxReply
}

/** What a backend may answer: the reply, or for READ where in a file it lies. */
export type AnswerOf<Op extends keyof ReplyOf> = Op extends "read" ? Data | FileRange : ReplyOf[Op]

// ---------------------------------------------------------------- notifications

/** What a server may tell the kernel unasked (`enum fuse_notify_code`). */
export type Notification =
  | { readonly notify: "poll"; readonly kh: U64 }
  | { readonly notify: "invalInode"; readonly ino: U64; readonly off: S64; readonly len: S64 }
  | { readonly notify: "invalEntry"; readonly parent: U64; readonly name: Name; readonly flags: number }
  | { readonly notify: "store"; readonly nodeid: U64; readonly offset: U64; readonly data: Data }
  | { readonly notify: "retrieve"; readonly notifyUnique: U64; readonly nodeid: U64; readonly offset: U64; readonly size: number }
  | { readonly notify: "delete"; readonly parent: U64; readonly child: U64; readonly name: Name }
  | { readonly notify: "resend" }
  | { readonly notify: "incEpoch" }
  | { readonly notify: "prune"; readonly nodeids: ReadonlyArray<U64> }

/** A malformed frame: which field, at which offset of the frame, of a frame of how many bytes. */
export interface DecodeError {
  readonly _tag: "DecodeError"
  readonly message: string
  readonly field: string
  /** Bytes from the start of the frame. */
  readonly offset: number
  /** The frame's length in bytes. */
  readonly length: number
  /** The opcode, when the header could be read. */
  readonly opcode: number | undefined
  /** The request's `unique`, when the header could be read. */
  readonly unique: U64 | undefined
}
