// Made by packages/protocol/generator; do not edit.
/** Requests and the structs of replies as plain objects. */
import type { Extensions, Name, RequestHeader, Timespec, U64 } from "../primitives.ts"

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
  /** The device's number, of a device node. */
  readonly rdev: number
  readonly blksize: number
  /** FUSE_ATTR_*. */
  readonly flags: number
}

/** `struct fuse_entry_out`. `nodeid` 0 in a LOOKUP reply says "no such name", cached for `entryValid`. */
export interface Entry {
  /** The node's id. */
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
export interface AttrReply {
  /** How long the kernel may trust the attributes. */
  readonly attrValid: Timespec
  readonly attr: Attr
}

/** `struct fuse_open_out`. */
export interface Open {
  /** Given to each operation on the open file, and to RELEASE. */
  readonly fh: U64
  /** FOPEN_*. */
  readonly openFlags: number
  /** From FUSE_DEV_IOC_BACKING_OPEN, with FOPEN_PASSTHROUGH. */
  readonly backingId?: number
}

/** `struct fuse_file_lock`. */
export interface FileLock {
  readonly start: U64
  /** Inclusive; 2^63-1 for "to the end". */
  readonly end: U64
  /** F_RDLCK, F_WRLCK or F_UNLCK. */
  readonly type: number
  /** Who holds it, for the caller to see. */
  readonly pid: number
}

/** `struct fuse_kstatfs`. */
export interface Statfs {
  /** In units of `frsize`, as are `bfree` and `bavail`. */
  readonly blocks: U64
  readonly bfree: U64
  /** For callers without privileges. */
  readonly bavail: U64
  /** Inodes. */
  readonly files: U64
  readonly ffree: U64
  readonly bsize: number
  readonly namelen: number
  readonly frsize: number
}

/** `struct fuse_statx`. */
export interface Statx {
  /** STATX_*: which fields are true. */
  readonly mask: number
  readonly blksize: number
  /** STATX_ATTR_*. */
  readonly attributes: U64
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly mode: number
  readonly ino: U64
  readonly size: U64
  readonly blocks: U64
  /** Which of `attributes` the filesystem knows. */
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

/** `struct fuse_statx_out`. */
export interface StatxReply {
  /** How long the kernel may trust the attributes. */
  readonly attrValid: Timespec
  readonly flags: number
  readonly stat: Statx
}

/** `struct fuse_init_out`. */
export interface InitReply {
  readonly major: number
  readonly minor: number
  /** Bytes. */
  readonly maxReadahead: number
  readonly flags: number
  /** Requests. */
  readonly maxBackground: number
  /** Requests. */
  readonly congestionThreshold: number
  /** Bytes. */
  readonly maxWrite: number
  /** Nanoseconds. */
  readonly timeGran: number
  readonly maxPages: number
  readonly mapAlignment: number
  readonly flags2: number
  readonly maxStackDepth: number
  /** Seconds; 0 for none. */
  readonly requestTimeout: number
}

/** `struct fuse_ioctl_iovec`. */
export interface IoctlIovec {
  /** Address in the caller's memory. */
  readonly base: U64
  /** Bytes. */
  readonly len: U64
}

/** `struct fuse_ioctl_out`. */
export interface IoctlHead {
  readonly result: number
  /** FUSE_IOCTL_*. */
  readonly flags: number
  readonly inIovs: number
  readonly outIovs: number
}

/** LOOKUP. */
export interface LookupRequest extends RequestHeader {
  readonly op: "lookup"
  /** In the directory `nodeid`. */
  readonly name: Name
}

/** FORGET. */
export interface ForgetRequest extends RequestHeader {
  readonly op: "forget"
  /** Lookups to take from the node's count. */
  readonly nlookup: U64
}

/** GETATTR. */
export interface GetattrRequest extends RequestHeader {
  readonly op: "getattr"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FUSE_GETATTR_*: whether `fh` is one. */
  readonly getattrFlags: number
}

/** SETATTR. */
export interface SetattrRequest extends RequestHeader {
  readonly op: "setattr"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FATTR_*: which of the fields below are to be applied. */
  readonly valid: number
  readonly size: U64
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
  readonly atime: Timespec
  readonly mtime: Timespec
  readonly ctime: Timespec
  readonly mode: number
  readonly newUid: number
  readonly newGid: number
}

/** READLINK. */
export interface ReadlinkRequest extends RequestHeader {
  readonly op: "readlink"
}

/** SYMLINK. */
export interface SymlinkRequest extends RequestHeader {
  readonly op: "symlink"
  /** In the directory `nodeid`. */
  readonly name: Name
  readonly target: Name
  readonly extensions?: Extensions
}

/** MKNOD. */
export interface MknodRequest extends RequestHeader {
  readonly op: "mknod"
  /** In the directory `nodeid`. */
  readonly name: Name
  readonly mode: number
  /** The device's number, of a device node. */
  readonly rdev: number
  /** The caller's; the kernel has applied it to `mode` unless FUSE_DONT_MASK was agreed on. */
  readonly umask: number
  readonly extensions?: Extensions
}

/** MKDIR. */
export interface MkdirRequest extends RequestHeader {
  readonly op: "mkdir"
  /** In the directory `nodeid`. */
  readonly name: Name
  readonly mode: number
  /** The caller's; the kernel has applied it to `mode` unless FUSE_DONT_MASK was agreed on. */
  readonly umask: number
  readonly extensions?: Extensions
}

/** UNLINK. */
export interface UnlinkRequest extends RequestHeader {
  readonly op: "unlink"
  /** In the directory `nodeid`. */
  readonly name: Name
}

/** RMDIR. */
export interface RmdirRequest extends RequestHeader {
  readonly op: "rmdir"
  /** In the directory `nodeid`. */
  readonly name: Name
}

/** RENAME and RENAME2 alike; `flags` is 0 for the former. */
export interface RenameRequest extends RequestHeader {
  readonly op: "rename"
  /** In the directory `nodeid`. */
  readonly name: Name
  readonly newname: Name
  /** Directory of the new name. */
  readonly newdir: U64
  /** RENAME_*. */
  readonly flags: number
}

/** `nodeid` is the directory of the new name. */
export interface LinkRequest extends RequestHeader {
  readonly op: "link"
  readonly newname: Name
  readonly oldnodeid: U64
}

/** OPEN. */
export interface OpenRequest extends RequestHeader {
  readonly op: "open"
  /** open(2) flags with the kernel's values. */
  readonly flags: number
  /** FUSE_OPEN_*. */
  readonly openFlags: number
}

/** READ. */
export interface ReadRequest extends RequestHeader {
  readonly op: "read"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Bytes from the file's start. */
  readonly offset: U64
  /** Bytes asked for. */
  readonly size: number
  /** FUSE_READ_*. */
  readonly readFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
  /** open(2) flags of the file. */
  readonly flags: number
}

/** WRITE. */
export interface WriteRequest extends RequestHeader {
  readonly op: "write"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Bytes from the file's start. */
  readonly offset: U64
  /** Bytes of `data`. */
  readonly size: number
  /** FUSE_WRITE_*. */
  readonly writeFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
  /** open(2) flags of the file. */
  readonly flags: number
  /** A view into the request's slot, valid until the operation's Effect ends. */
  readonly data: Uint8Array
}

/** STATFS. */
export interface StatfsRequest extends RequestHeader {
  readonly op: "statfs"
}

/** RELEASE. */
export interface ReleaseRequest extends RequestHeader {
  readonly op: "release"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** open(2) flags of the file. */
  readonly flags: number
  /** FUSE_RELEASE_*. */
  readonly releaseFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
}

/** FSYNC. */
export interface FsyncRequest extends RequestHeader {
  readonly op: "fsync"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FUSE_FSYNC_*: data alone, or attributes too. */
  readonly fsyncFlags: number
}

/** SETXATTR. */
export interface SetxattrRequest extends RequestHeader {
  readonly op: "setxattr"
  /** With its namespace, as `user.`. */
  readonly name: Name
  /** XATTR_CREATE, XATTR_REPLACE. */
  readonly flags: number
  /** FUSE_SETXATTR_*. */
  readonly setxattrFlags: number
  readonly value: Uint8Array
}

/** GETXATTR. */
export interface GetxattrRequest extends RequestHeader {
  readonly op: "getxattr"
  /** With its namespace, as `user.`. */
  readonly name: Name
  /** Bytes there is room for; 0 asks for the size only. */
  readonly size: number
}

/** LISTXATTR. */
export interface ListxattrRequest extends RequestHeader {
  readonly op: "listxattr"
  /** Bytes there is room for; 0 asks for the size only. */
  readonly size: number
}

/** REMOVEXATTR. */
export interface RemovexattrRequest extends RequestHeader {
  readonly op: "removexattr"
  /** With its namespace, as `user.`. */
  readonly name: Name
}

/** FLUSH. */
export interface FlushRequest extends RequestHeader {
  readonly op: "flush"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
}

/** INIT. */
export interface InitRequest extends RequestHeader {
  readonly op: "init"
  readonly major: number
  readonly minor: number
  /** Bytes. */
  readonly maxReadahead: number
  /** FUSE_INIT flags: bits 0 to 31. */
  readonly flags: number
  /** Bits 32 to 63. */
  readonly flags2: number
}

/** OPENDIR. */
export interface OpendirRequest extends RequestHeader {
  readonly op: "opendir"
  /** open(2) flags with the kernel's values. */
  readonly flags: number
  /** FUSE_OPEN_*. */
  readonly openFlags: number
}

/** READDIR. */
export interface ReaddirRequest extends RequestHeader {
  readonly op: "readdir"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** The cookie to go on from: 0, or a `Dirent.off` given before. */
  readonly offset: U64
  /** Bytes asked for. */
  readonly size: number
  /** FUSE_READ_*. */
  readonly readFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
  /** open(2) flags of the file. */
  readonly flags: number
}

/** RELEASEDIR. */
export interface ReleasedirRequest extends RequestHeader {
  readonly op: "releasedir"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** open(2) flags of the file. */
  readonly flags: number
  /** FUSE_RELEASE_*. */
  readonly releaseFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
}

/** FSYNCDIR. */
export interface FsyncdirRequest extends RequestHeader {
  readonly op: "fsyncdir"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FUSE_FSYNC_*: data alone, or attributes too. */
  readonly fsyncFlags: number
}

/** GETLK. */
export interface GetlkRequest extends RequestHeader {
  readonly op: "getlk"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Whose lock it is; opaque. */
  readonly owner: U64
  readonly lk: FileLock
  /** FUSE_LK_FLOCK when it is flock(2). */
  readonly lkFlags: number
}

/** SETLK. */
export interface SetlkRequest extends RequestHeader {
  readonly op: "setlk"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Whose lock it is; opaque. */
  readonly owner: U64
  readonly lk: FileLock
  /** FUSE_LK_FLOCK when it is flock(2). */
  readonly lkFlags: number
}

/** Blocks until granted or interrupted. */
export interface SetlkwRequest extends RequestHeader {
  readonly op: "setlkw"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Whose lock it is; opaque. */
  readonly owner: U64
  readonly lk: FileLock
  /** FUSE_LK_FLOCK when it is flock(2). */
  readonly lkFlags: number
}

/** ACCESS. */
export interface AccessRequest extends RequestHeader {
  readonly op: "access"
  /** access(2): R_OK, W_OK, X_OK. */
  readonly mask: number
}

/** CREATE. */
export interface CreateRequest extends RequestHeader {
  readonly op: "create"
  /** In the directory `nodeid`. */
  readonly name: Name
  /** open(2) flags with the kernel's values. */
  readonly flags: number
  readonly mode: number
  /** The caller's; the kernel has applied it to `mode` unless FUSE_DONT_MASK was agreed on. */
  readonly umask: number
  /** FUSE_OPEN_*. */
  readonly openFlags: number
  readonly extensions?: Extensions
}

/** INTERRUPT. */
export interface InterruptRequest extends RequestHeader {
  readonly op: "interrupt"
  /** Of the request to be interrupted. */
  readonly target: U64
}

/** BMAP. */
export interface BmapRequest extends RequestHeader {
  readonly op: "bmap"
  readonly block: U64
  /** Bytes. */
  readonly blocksize: number
}

/** DESTROY. */
export interface DestroyRequest extends RequestHeader {
  readonly op: "destroy"
}

/** IOCTL. */
export interface IoctlRequest extends RequestHeader {
  readonly op: "ioctl"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FUSE_IOCTL_*. */
  readonly flags: number
  readonly cmd: number
  /** The caller's pointer, or number. */
  readonly arg: U64
  /** Bytes of `data`. */
  readonly inSize: number
  /** Bytes there is room for. */
  readonly outSize: number
  readonly data: Uint8Array
}

/** POLL. */
export interface PollRequest extends RequestHeader {
  readonly op: "poll"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** Names this wait in a later FUSE_NOTIFY_POLL. */
  readonly kh: U64
  /** FUSE_POLL_*. */
  readonly flags: number
  /** POLL* asked for; 0 before 7.21. */
  readonly events: number
}

/** What a RETRIEVE asked for; the header's `unique` is its `notifyUnique`. */
export interface NotifyReplyRequest extends RequestHeader {
  readonly op: "notifyReply"
  readonly offset: U64
  /** Bytes of `data`. */
  readonly size: number
  readonly data: Uint8Array
}

/** BATCH_FORGET. */
export interface BatchForgetRequest extends RequestHeader {
  readonly op: "batchForget"
  readonly forgets: ReadonlyArray<{ readonly nodeid: U64; readonly nlookup: U64 }>
}

/** FALLOCATE. */
export interface FallocateRequest extends RequestHeader {
  readonly op: "fallocate"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  readonly offset: U64
  readonly length: U64
  /** FALLOC_FL_*. */
  readonly mode: number
}

/** READDIRPLUS. */
export interface ReaddirplusRequest extends RequestHeader {
  readonly op: "readdirplus"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** The cookie to go on from: 0, or a `Dirent.off` given before. */
  readonly offset: U64
  /** Bytes asked for. */
  readonly size: number
  /** FUSE_READ_*. */
  readonly readFlags: number
  /** Whose POSIX locks it is about; opaque. */
  readonly lockOwner: U64
  /** open(2) flags of the file. */
  readonly flags: number
}

/** LSEEK. */
export interface LseekRequest extends RequestHeader {
  readonly op: "lseek"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  readonly offset: U64
  /** SEEK_DATA or SEEK_HOLE; the kernel does the others. */
  readonly whence: number
}

/** COPY_FILE_RANGE and COPY_FILE_RANGE_64 alike; `wide` tells which reply is owed. */
export interface CopyFileRangeRequest extends RequestHeader {
  readonly op: "copyFileRange"
  readonly wide: boolean
  readonly fhIn: U64
  readonly offIn: U64
  readonly nodeidOut: U64
  readonly fhOut: U64
  readonly offOut: U64
  /** Bytes. */
  readonly len: U64
  readonly flags: U64
}

/** SETUPMAPPING. */
export interface SetupmappingRequest extends RequestHeader {
  readonly op: "setupmapping"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  readonly foffset: U64
  readonly len: U64
  readonly flags: U64
  readonly moffset: U64
}

/** REMOVEMAPPING. */
export interface RemovemappingRequest extends RequestHeader {
  readonly op: "removemapping"
  readonly mappings: ReadonlyArray<{ readonly moffset: U64; readonly len: U64 }>
}

/** SYNCFS. */
export interface SyncfsRequest extends RequestHeader {
  readonly op: "syncfs"
}

/** TMPFILE. */
export interface TmpfileRequest extends RequestHeader {
  readonly op: "tmpfile"
  /** The kernel says `/`. */
  readonly name: Name
  /** open(2) flags with the kernel's values. */
  readonly flags: number
  readonly mode: number
  /** The caller's; the kernel has applied it to `mode` unless FUSE_DONT_MASK was agreed on. */
  readonly umask: number
  /** FUSE_OPEN_*. */
  readonly openFlags: number
  readonly extensions?: Extensions
}

/** STATX. */
export interface StatxRequest extends RequestHeader {
  readonly op: "statx"
  /** The handle that OPEN, OPENDIR or CREATE answered. */
  readonly fh: U64
  /** FUSE_GETATTR_*: whether `fh` is one. */
  readonly getattrFlags: number
  /** statx(2) flags: AT_STATX_*. */
  readonly sxFlags: number
  /** STATX_*: what is asked for. */
  readonly sxMask: number
}

/** Any request. */
export type Request =
  | LookupRequest
  | ForgetRequest
  | GetattrRequest
  | SetattrRequest
  | ReadlinkRequest
  | SymlinkRequest
  | MknodRequest
  | MkdirRequest
  | UnlinkRequest
  | RmdirRequest
  | RenameRequest
  | LinkRequest
  | OpenRequest
  | ReadRequest
  | WriteRequest
  | StatfsRequest
  | ReleaseRequest
  | FsyncRequest
  | SetxattrRequest
  | GetxattrRequest
  | ListxattrRequest
  | RemovexattrRequest
  | FlushRequest
  | InitRequest
  | OpendirRequest
  | ReaddirRequest
  | ReleasedirRequest
  | FsyncdirRequest
  | GetlkRequest
  | SetlkRequest
  | SetlkwRequest
  | AccessRequest
  | CreateRequest
  | InterruptRequest
  | BmapRequest
  | DestroyRequest
  | IoctlRequest
  | PollRequest
  | NotifyReplyRequest
  | BatchForgetRequest
  | FallocateRequest
  | ReaddirplusRequest
  | LseekRequest
  | CopyFileRangeRequest
  | SetupmappingRequest
  | RemovemappingRequest
  | SyncfsRequest
  | TmpfileRequest
  | StatxRequest
