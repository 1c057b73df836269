/**
 * A filesystem: an object of optional operations, named as in libfuse's low-level API.
 *
 * Each operation takes one request object and a context and returns an Effect. An operation that is
 * absent answers ENOSYS (which the kernel remembers for some: see the opcode table). An operation that
 * returns an `Exit` (`Exit.succeed`, `Errno.ENOENT`) is answered without starting a fiber.
 */
import type * as Effect from "effect/Effect"
import type { AtimePolicy } from "./atime.ts"
import type { ErrnoError } from "./errno.ts"
import type * as P from "@bickford/protocol"
import type { Notify } from "./notify/Notifier.ts"
import type { BackendCapabilities, Negotiated } from "@bickford/protocol"
import type { RequestContext } from "./RequestContext.ts"

/** Fails with an errno's typed error; anything else that goes wrong is a defect, answered EIO. */
export type Operation<Req extends { readonly op: keyof P.ReplyOf }> = (
  request: Req,
  context: RequestContext
) => Effect.Effect<P.AnswerOf<Req["op"]>, ErrnoError>

/** The connection that a backend serves, as much of it as is the backend's business. */
export interface BackendConnection {
  /** Random, the same for the connection's whole life; a later server of the same connection has it too. */
  readonly id: string
  readonly notify: Notify
  /** How the mount has times of reading kept (`-o noatime`, `strictatime`, ...): the server follows it, the kernel does not. */
  readonly atime: AtimePolicy
  /**
   * Registers an open file with the kernel, to be given with FOPEN_PASSTHROUGH (Linux 6.9, CAP_SYS_ADMIN): its
   * id, or a negative errno, -EOPNOTSUPP where no device is served.
   */
  readonly openBacking: (fd: number) => number
  /** Takes a registration back; files that were opened with it keep it. 0 or a negative errno. */
  readonly closeBacking: (id: number) => number
  /**
   * Lends memory, always as much, to have the data of WRITEs that fill it read there: the `data` of such a request is
   * the very array that `memory` gave last. `memory` is asked before each read that may go there, and never while
   * a request is worked on that has such data: who keeps the array, and so has what was written without a copy of
   * it, gives another one next. A WRITE carries up to `maxWrite` bytes (1 MiB): that is what large files come in.
   */
  readonly lendMemory: (memory: () => Uint8Array | undefined) => void
}

/** What adds, removes or moves a name. */
type NamespaceChange = "symlink" | "mknod" | "mkdir" | "unlink" | "rmdir" | "rename" | "link" | "create" | "tmpfile"

export interface Backend {
  readonly capabilities?: BackendCapabilities
  /** A new instance finds nodes and handles again, so calls in flight may be run again after a restart. */
  readonly durable?: boolean
  /**
   * The operations that a signal of the caller stops (EINTR). Default: read, setlkw, poll and ioctl. Never
   * one that changes the namespace. What is listed may wait for other calls, so limits do not count it.
   */
  readonly interruptible?: ReadonlyArray<Exclude<keyof P.ReplyOf, NamespaceChange>>
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
