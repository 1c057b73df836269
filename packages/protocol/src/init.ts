/**
 * INIT: the record of what a connection agreed on, what a backend may declare, and the reply's bytes. negotiate.ts agrees.
 *
 * Rules: `fs/fuse/inode.c` (process_init_reply), `include/uapi/linux/fuse.h`.
 */
import { initFlagBits, limits } from "./constants.ts"
import type { InitReply } from "./messages.ts"
import { getInitReply, putInitReply } from "./generated/records.ts"
import { initOut } from "./generated/structs.ts"
import type { Version } from "./version.ts"

export type InitFlagName = keyof typeof initFlagBits

/** What a connection's INIT agreed on. Plain data: it can be cloned, sent and stored. */
export interface Negotiated extends Version {
  readonly major: number
  /** The smaller of the kernel's and ours. */
  readonly minor: number
  /** Flags in force: bits 0 to 31, and 32 to 63. See `hasFlag`. */
  readonly flags: number
  readonly flags2: number
  /** Longest WRITE, in bytes. */
  readonly maxWrite: number
  /** Longest data of one request, in pages of 4096 bytes. */
  readonly maxPages: number
  /** In bytes. */
  readonly maxReadahead: number
  readonly maxBackground: number
  readonly congestionThreshold: number
  /** Granularity of times, in nanoseconds. */
  readonly timeGran: number
  readonly maxStackDepth: number
  /** Seconds after which the kernel aborts the connection over an unanswered request; 0 for never. */
  readonly requestTimeout: number
  /** log2 of the alignment of DAX mappings; 0 without DAX. */
  readonly mapAlignment: number
  readonly asyncRead: boolean
  readonly posixLocks: boolean
  readonly flockLocks: boolean
  readonly atomicOTrunc: boolean
  readonly exportSupport: boolean
  readonly dontMask: boolean
  readonly readdirplus: boolean
  readonly readdirplusAuto: boolean
  readonly writebackCache: boolean
  readonly noOpen: boolean
  readonly noOpendir: boolean
  readonly parallelDirops: boolean
  readonly posixAcl: boolean
  readonly abortError: boolean
  readonly cacheSymlinks: boolean
  readonly explicitInvalData: boolean
  readonly handleKillpriv: boolean
  readonly handleKillprivV2: boolean
  readonly directIoAllowMmap: boolean
  readonly createSuppGroup: boolean
  /** Idmapped mounts can be made of it; requests other than creations name no caller (FUSE_INVALID_UIDGID). */
  readonly allowIdmap: boolean
  /** FUSE_SPLICE_WRITE: READs that are answered from descriptors are spliced. */
  readonly spliceWrite: boolean
  /** FUSE_SPLICE_MOVE: with SPLICE_F_MOVE. */
  readonly spliceMove: boolean
  /** FUSE_SPLICE_READ: the data of large WRITEs is left in pipes for `writeBuf`. */
  readonly spliceRead: boolean
  /** FUSE_SECURITY_CTX: creations carry the new file's security contexts. */
  readonly securityCtx: boolean
  readonly expireOnly: boolean
  readonly passthrough: boolean
  /** FUSE_HAS_RESEND: FUSE_NOTIFY_RESEND works. */
  readonly resend: boolean
  readonly overIoUring: boolean
}

/** What the mount was told. Every field has a default. */
export interface InitOptions {
  /**
   * Longest WRITE (and READ) in bytes, from 4096 to 65535 pages of 4096. Default 1 MiB. More than that needs
   * `fs.fuse.max_pages_limit` (sysctl, Linux 6.13) raised before the mount, and takes memory for each request that is held.
   */
  readonly maxWrite?: number
  /** Bytes that the kernel reads ahead of one who reads on. Default 384 KiB; no more than 128 KiB where root does not mount. */
  readonly maxReadahead?: number
  /** Asynchronous requests (readahead, writeback, release) the kernel keeps going at once. Default 64. */
  readonly maxBackground?: number
  /** Default three quarters of `maxBackground`. */
  readonly congestionThreshold?: number
  /** Nanoseconds, 1 to 10^9. Default 1. */
  readonly timeGranularity?: number
  /**
   * False leaves POSIX ACLs out of a mount whose backend has them. With them the kernel checks permissions whatever
   * the mount's option `default_permissions` says. Default: true, unless a mount's `defaultPermissions` is false.
   */
  readonly posixAcl?: boolean
  /**
   * True lets idmapped mounts be made of a backend that declares it. The kernel must check permissions, by the mount's
   * option `default_permissions`: it serves no mount without it that has the flag. Default false; a mount's is true, unless its
   * `defaultPermissions` is false.
   */
  readonly allowIdmap?: boolean
  /** False leaves POSIX locks to the kernel though the backend could serve them. */
  readonly posixLocks?: boolean
  /** Likewise for BSD locks. */
  readonly flock?: boolean
  /** False turns it off for a backend that could. */
  readonly writebackCache?: boolean
  /** For a backend with the operation. Default "auto": the kernel chooses by how a directory is used. */
  readonly readdirplus?: "auto" | "always" | "never"
  /** Several reads of one file at once. Default true. */
  readonly asyncRead?: boolean
  /** LOOKUP and READDIR of one directory in parallel. Default true. */
  readonly parallelDirops?: boolean
  /** Unanswered requests can be asked for again (7.40). Default true. */
  readonly resend?: boolean
  /** An aborted connection reads ECONNABORTED instead of ENODEV. Default true. */
  readonly abortError?: boolean
  /** Seconds until the kernel aborts the connection over an unanswered request (7.43). Default 0: never. */
  readonly requestTimeout?: number
  /** The transport can serve the connection over io_uring (7.42). Default false. */
  readonly overIoUring?: boolean
  /** Filesystems that may be stacked below a passthrough file: 1 or 2. Default 1. */
  readonly maxStackDepth?: number
  /** Creations carry security contexts. Default false. */
  readonly securityCtx?: boolean
  /** Largest frame the transport can read, in bytes; bounds `maxWrite`. */
  readonly frameCapacity?: number
}

/** What a backend can do beyond its operations: INIT asks the kernel only for what is declared here. */
export interface BackendCapabilities {
  /**
   * A file's size or content may change without the kernel's doing: FUSE_AUTO_INVAL_DATA, and then the
   * kernel asks for attributes before reads from its cache. Default true; false saves those requests.
   */
  readonly autoInvalData?: boolean
  /**
   * Cached pages of a file stay, whatever becomes of its time and size, until the backend drops them (`notify.invalInode`)
   * or the file is opened without FOPEN_KEEP_CACHE: FUSE_EXPLICIT_INVAL_DATA (7.30). It takes the place of `autoInvalData`,
   * which rules again where the kernel does not have it.
   */
  readonly explicitInvalData?: boolean
  /**
   * Direct I/O goes out in the background, its pieces and several calls at a time: FUSE_ASYNC_DIO. Default
   * true; false suits a backend that answers at once, for which the way through the queue only costs.
   */
  readonly asyncDio?: boolean
  /** Server-side POSIX (fcntl) locks: FUSE_POSIX_LOCKS. */
  readonly posixLocks?: boolean
  /** Server-side BSD (flock) locks: FUSE_FLOCK_LOCKS. */
  readonly flock?: boolean
  /**
   * O_TRUNC is handled by open and create: FUSE_ATOMIC_O_TRUNC. It saves a SETATTR, and has a price: the kernel asks
   * before it looks whether the file is a program that runs, so that open(2) with O_RDONLY | O_TRUNC answers ETXTBSY
   * when the file has already been emptied.
   */
  readonly atomicOTrunc?: boolean
  /**
   * `.` and `..` can be looked up by the number of any node that there is, whether the kernel remembers it or not:
   * FUSE_EXPORT_SUPPORT, for file handles and NFS export. False refuses both (FUSE_NO_EXPORT_SUPPORT, Linux 6.9): a
   * handle would be stale once the kernel has forgotten the node.
   */
  readonly exportSupport?: boolean
  /**
   * Each write, truncation and change of owner clears set-user-ID, set-group-ID and `security.capability`, whoever the
   * caller is: FUSE_HANDLE_KILLPRIV (7.26). The kernel sends no SETATTR with a mode for it.
   */
  readonly handleKillpriv?: boolean
  /**
   * Suid, sgid and capabilities are cleared when told to: FUSE_HANDLE_KILLPRIV_V2 (7.33). A backend may declare
   * `handleKillpriv` too, for kernels without this.
   */
  readonly handleKillprivV2?: boolean
  /**
   * Files opened with FOPEN_DIRECT_IO can be mapped shared (mmap(2) with MAP_SHARED), through the page cache:
   * FUSE_DIRECT_IO_ALLOW_MMAP (7.39). Without it such a mapping is ENODEV. What is mapped and what is written past the mapping
   * need not agree until a page is written back or dropped.
   */
  readonly directIoAllowMmap?: boolean
  /** The umask is applied by the backend (needed for default ACLs): FUSE_DONT_MASK. */
  readonly dontMask?: boolean
  /**
   * Writes may be cached and written back later: FUSE_WRITEBACK_CACHE. It excludes `passthrough`: a mount whose backend
   * declares both is refused, unless the option `writebackCache` is false.
   */
  readonly writebackCache?: boolean
  /** Symlink targets may be cached: FUSE_CACHE_SYMLINKS. */
  readonly cacheSymlinks?: boolean
  /** A file may be read, written and truncated with no open (ENOSYS to OPEN): FUSE_NO_OPEN_SUPPORT. */
  readonly noOpen?: boolean
  /** Directories need no handle (ENOSYS to OPENDIR): FUSE_NO_OPENDIR_SUPPORT. */
  readonly noOpendir?: boolean
  /** Backing files may be registered with the kernel: FUSE_PASSTHROUGH. */
  readonly passthrough?: boolean
  /** Supplementary groups are wanted with creations: FUSE_CREATE_SUPP_GROUP. */
  readonly createSuppGroup?: boolean
  /**
   * Idmapped mounts (mount_setattr(2) with MOUNT_ATTR_IDMAP, Linux 6.12) may be made of it: FUSE_ALLOW_IDMAP. What is created
   * belongs to the `uid` and `gid` of its request, which the kernel has mapped, and new owners of SETATTR are mapped
   * too. All other requests come without ids (FUSE_INVALID_UIDGID): no permission may be refused by them. It is in force
   * where the option `allowIdmap` is true.
   */
  readonly allowIdmap?: boolean
  /**
   * READs that are answered with `{ fd, offset, length }`, 32 KiB and more of it, are spliced to the kernel instead of copied:
   * FUSE_SPLICE_WRITE (7.14). The answers stay the same. docs/performance.md has the figures.
   */
  readonly spliceWrite?: boolean
  /**
   * With `spliceWrite`, whole pages may be moved from the file's page cache into the mount's instead of copied:
   * FUSE_SPLICE_MOVE. The file's own cache then lacks them: for files that are read once.
   */
  readonly spliceMove?: boolean
  /**
   * The data of WRITEs of 32 KiB and more is left in pipes where it can be, for `writeBuf` to splice it to a file:
   * FUSE_SPLICE_READ (7.14). What the operation is given, and what its caller sees, is the same. docs/performance.md has the
   * figures.
   */
  readonly spliceRead?: boolean
  /**
   * The kernel enforces POSIX ACLs, which it reads as attributes `system.posix_acl_*`: FUSE_POSIX_ACL. It needs
   * `dontMask` too, since a default ACL takes the umask's place. Where `Negotiated.posixAcl` is false then, these
   * attributes are to be refused (EOPNOTSUPP): an ACL that is shown and not enforced misleads.
   */
  readonly posixAcl?: boolean
}

/** The fields of a backend that INIT looks at. */
export interface InitBackend {
  readonly capabilities?: BackendCapabilities
  readonly readdirplus?: unknown
  readonly setlk?: unknown
  readonly writeBuf?: unknown
}

/** Why no agreement is possible: the kernel's version, or the option (or capability) `option` of ours. */
export type InitError = { readonly _tag: "InitError"; readonly message: string } & (
  | { readonly reason: "major" | "minor" }
  | { readonly reason: "option"; readonly option: string }
)
export const isInitError = (value: object): value is InitError => "reason" in value && "message" in value

/** A flag that was wanted and is not in force, and who could not honour it. */
export interface RefusedFlag {
  readonly flag: InitFlagName
  readonly by: "kernel" | "backend" | "transport"
}

export interface Agreement {
  readonly reply: InitReply
  readonly negotiated: Negotiated
  readonly refused: ReadonlyArray<RefusedFlag>
}

/** Whether a flag is set in the two words of a message or of a `Negotiated`. */
export const hasFlag = (words: { readonly flags: number; readonly flags2: number }, flag: InitFlagName): boolean => {
  const bit = initFlagBits[flag]
  return ((bit < 32 ? words.flags >>> bit : words.flags2 >>> (bit - 32)) & 1) === 1
}

/** Writes `struct fuse_init_out` as long as the reply's minor knows it; returns its length. */
export const encodeInitReply = (reply: InitReply, view: DataView, at: number): number => {
  putInitReply(view, at, reply)
  return reply.minor <= 22 ? limits.FUSE_COMPAT_22_INIT_OUT_SIZE : initOut.bytes
}

/** Of `length` bytes, 8 at least: what is missing reads as zero, as in the kernel. */
export const readInitReply = (view: DataView, at: number, length: number): InitReply => {
  const whole = new DataView(new ArrayBuffer(initOut.bytes))
  for (let index = 0; index < Math.min(length, initOut.bytes); index++) whole.setUint8(index, view.getUint8(at + index))
  return getInitReply(whole, 0)
}
