/**
 * A filesystem: an object of optional operations, named as in libfuse's low-level API.
 *
 * Each operation takes one request object and a context and returns an Effect. An operation that is
 * absent answers ENOSYS (which the kernel remembers for some: see the opcode table). An operation that
 * returns an `Exit` (`Exit.succeed`, `Errno.ENOENT`) is answered without starting a fiber.
 */
import type * as Effect from "effect/Effect"
import type { ErrnoError } from "./errno.ts"
import type * as P from "./protocol/messages.ts"
import type { Notify } from "./notify/Notifier.ts"
import type { Negotiated } from "./protocol/init.ts"
import type { RequestContext } from "./RequestContext.ts"

/** Fails with an errno's typed error; anything else that goes wrong is a defect, answered EIO. */
export type Operation<Req extends { readonly op: keyof P.ReplyOf }> = (
  request: Req,
  context: RequestContext
) => Effect.Effect<P.AnswerOf<Req["op"]>, ErrnoError>

/** What a backend can do beyond its operations: INIT asks the kernel only for what is declared here. */
export interface BackendCapabilities {
  /**
   * A file's size or content may change without the kernel's doing: FUSE_AUTO_INVAL_DATA, and then the
   * kernel asks for attributes before reads from its cache. Default true; false saves those requests.
   */
  readonly autoInvalData?: boolean
  /** Server-side POSIX (fcntl) locks: FUSE_POSIX_LOCKS. */
  readonly posixLocks?: boolean
  /** Server-side BSD (flock) locks: FUSE_FLOCK_LOCKS. */
  readonly flock?: boolean
  /** O_TRUNC is handled by open and create: FUSE_ATOMIC_O_TRUNC. */
  readonly atomicOTrunc?: boolean
  /** `.` and `..` can be looked up (NFS export): FUSE_EXPORT_SUPPORT. */
  readonly exportSupport?: boolean
  /** Suid, sgid and capabilities are cleared when told to: FUSE_HANDLE_KILLPRIV_V2. */
  readonly handleKillprivV2?: boolean
  /** The umask is applied by the backend (needed for default ACLs): FUSE_DONT_MASK. */
  readonly dontMask?: boolean
  /** Writes may be cached and written back later: FUSE_WRITEBACK_CACHE. */
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
  /** POSIX ACLs are enforced by the kernel from xattrs: FUSE_POSIX_ACL. */
  readonly posixAcl?: boolean
}

/** The connection that a backend serves, as much of it as is the backend's business. */
export interface BackendConnection {
  /** Random, the same for the connection's whole life; a later server of the same connection has it too. */
  readonly id: string
  readonly notify: Notify
}

export interface Backend {
  readonly capabilities?: BackendCapabilities
  /** A new instance finds nodes and handles again, so calls in flight may be run again after a restart. */
  readonly durable?: boolean
  /** For durable backends: makes everything done since the last commit permanent, before any reply of the batch is sent. */
  readonly commit?: Effect.Effect<void, ErrnoError>
  /** The backend's own process, if it has one: when it fails or ends, the backend is restarted. */
  readonly run?: Effect.Effect<unknown, unknown>
  /** Called once the connection's INIT has been agreed on, before any other operation. */
  readonly init?: (negotiated: Negotiated, connection: BackendConnection) => Effect.Effect<void, ErrnoError>
  /**
   * For durable backends: these requests were answered, so what was recorded to answer them again may go.
   * Called after their replies were written; must not suspend.
   */
  readonly delivered?: (uniques: ReadonlyArray<P.U64>) => void
  /** Called once, after the last reply. */
  readonly destroy?: () => Effect.Effect<void>

  readonly lookup?: Operation<P.LookupRequest>
  /** The kernel drops `nlookup` references to a node; no reply. Must not suspend. */
  readonly forget?: (nodeid: P.U64, nlookup: P.U64) => void
  readonly getattr?: Operation<P.GetattrRequest>
  readonly setattr?: Operation<P.SetattrRequest>
  readonly readlink?: Operation<P.ReadlinkRequest>
  readonly symlink?: Operation<P.SymlinkRequest>
  readonly mknod?: Operation<P.MknodRequest>
  readonly mkdir?: Operation<P.MkdirRequest>
  readonly unlink?: Operation<P.UnlinkRequest>
  readonly rmdir?: Operation<P.RmdirRequest>
  readonly rename?: Operation<P.RenameRequest>
  readonly link?: Operation<P.LinkRequest>
  readonly open?: Operation<P.OpenRequest>
  readonly read?: Operation<P.ReadRequest>
  readonly write?: Operation<P.WriteRequest>
  readonly statfs?: Operation<P.StatfsRequest>
  readonly release?: Operation<P.ReleaseRequest>
  readonly fsync?: Operation<P.FsyncRequest>
  readonly setxattr?: Operation<P.SetxattrRequest>
  readonly getxattr?: Operation<P.GetxattrRequest>
  readonly listxattr?: Operation<P.ListxattrRequest>
  readonly removexattr?: Operation<P.RemovexattrRequest>
  readonly flush?: Operation<P.FlushRequest>
  readonly opendir?: Operation<P.OpendirRequest>
  readonly readdir?: Operation<P.ReaddirRequest>
  readonly readdirplus?: Operation<P.ReaddirplusRequest>
  readonly releasedir?: Operation<P.ReleasedirRequest>
  readonly fsyncdir?: Operation<P.FsyncdirRequest>
  readonly getlk?: Operation<P.GetlkRequest>
  readonly setlk?: Operation<P.SetlkRequest>
  readonly setlkw?: Operation<P.SetlkwRequest>
  readonly access?: Operation<P.AccessRequest>
  readonly create?: Operation<P.CreateRequest>
  readonly bmap?: Operation<P.BmapRequest>
  readonly ioctl?: Operation<P.IoctlRequest>
  readonly poll?: Operation<P.PollRequest>
  readonly fallocate?: Operation<P.FallocateRequest>
  readonly lseek?: Operation<P.LseekRequest>
  readonly copyFileRange?: Operation<P.CopyFileRangeRequest>
  readonly setupmapping?: Operation<P.SetupmappingRequest>
  readonly removemapping?: Operation<P.RemovemappingRequest>
  readonly syncfs?: Operation<P.SyncfsRequest>
  readonly tmpfile?: Operation<P.TmpfileRequest>
  readonly statx?: Operation<P.StatxRequest>
}
