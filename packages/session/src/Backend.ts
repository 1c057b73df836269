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
import type { RequestAnswerer } from "@bickford/transport"
import type { RequestContext } from "./RequestContext.ts"
import type { WriteBufRequest } from "./WriteData.ts"

/** Fails with an errno's typed error; anything else that goes wrong is a defect, answered EIO. */
export type Operation<Req extends { readonly op: keyof P.ReplyOf }> = (
  request: Req,
  context: RequestContext
) => Effect.Effect<P.AnswerOf<Req["op"]>, ErrnoError>

/**
 * An operation that may be an `async` function. What it throws or rejects with is the errno that it carries (one of
 * `Errno`, a Node error with its `code`), else a defect, answered EIO. When it is stopped its caller is answered at once,
 * and `context.signal` is aborted; what the promise brings afterwards is dropped: an open file is released, a node forgotten.
 */
export type AsyncOperation<Req extends { readonly op: keyof P.ReplyOf }> = (
  request: Req,
  context: RequestContext
) => Effect.Effect<P.AnswerOf<Req["op"]>, unknown> | PromiseLike<P.AnswerOf<Req["op"]>>

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

/** What stops an operation: any signal that its caller handles (INTERRUPT), only one that ends the caller, or nothing. */
export type Interruptible = "signal" | "fatal" | "never"

/** How other isolates of the process serve the same. */
export interface SharedBackend {
  /** The URL of a module, whose export `backend` is called with `data`: it makes a backend, or an Effect that acquires one. */
  readonly module: string
  /** What can be sent to a thread: plain data. */
  readonly data: unknown
}

/** A filesystem: operations, all optional, and what it says of itself. */
export interface Backend {
  readonly capabilities?: BackendCapabilities
  /** A new instance finds nodes and handles again, so calls in flight may be run again after a restart. */
  readonly durable?: boolean
  /**
   * What stops an operation (EINTR): `signal`, any signal that the caller handles, a timer's tick and Ctrl-C alike;
   * `fatal`, only one that ends the caller; `never`. Default: `signal` for setlkw, poll and ioctl, `fatal` for what
   * only looks (read, lookup, getattr, readdir, ...), `never` for the rest. A list is `signal` for each in it, and then
   * for no others. Opening a file may be stopped only if the backend says so, and then must leave nothing open.
   *
   * A change of the namespace is never stopped. With `fatal` a caller that dies is answered EINTR, and the operation
   * runs on: the kernel is told of the names once it has ended. Without, it waits for the answer, unkillably. A caller that dies
   * also leaves a slow OPEN or OPENDIR that is not stopped: it runs on, and what it opens is released. What is named here, but for
   * changes of the namespace, may wait for other calls, so limits do not count it.
   */
  readonly interruptible?:
    | ReadonlyArray<Exclude<P.BackendOperation, P.NamespaceOperation>>
    | {
        readonly [Op in P.BackendOperation]?: Op extends P.NamespaceOperation
          ? Exclude<Interruptible, "signal">
          : Interruptible
      }
  /**
   * Other isolates can serve the same nodes and handles, at once: a mount with `threads` may have one for each CPU. Such a backend
   * counts lookups by itself as it answers, each isolate's: `forget` comes to one of them, with a `left` that says nothing.
   * Set by `servedByIsolates`: a copy (`{ ...backend, lookup }`) or a combinator's result has it not, and one thread serves it.
   */
  readonly shared?: SharedBackend
  /**
   * For what serves in one of several isolates: answers some of its requests in the addon. No operation of the backend is called for them.
   * Set by `answeredBy`: a copy or a combinator's result has it not, and answers everything itself.
   */
  readonly answerer?: RequestAnswerer
  /** For shared backends: another isolate was told of nodes that were forgotten. Not more than once a second; must not suspend. */
  readonly forgotten?: () => void
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
  /**
   * A node's path within the mount, `/` and all; undefined where it is not known. Log lines name it where an operation has
   * failed, and a program that watches a shared backend is told of changes by it. Called at no other time.
   */
  readonly pathOf?: (nodeid: P.U64) => P.Name | undefined

  /**
   * Finds a name in a directory.
   *
   * Sent for each path component that the kernel does not trust at the moment: never seen, or `entryValid` has
   * passed. The reply is an `Entry`: node id, generation, attributes, and for how long the kernel may trust the name
   * (`entryValid`) and the attributes (`attrValid`). Each successful reply counts as one lookup of the node, which
   * `forget` gives back. The kernel takes the node's type from `attr.mode`; it must not change while the node is
   * known.
   *
   * "No such name" is ENOENT, which is not cached, or an entry with `nodeid` 0, which is cached for `entryValid`.
   * Answering the same node id for two names makes them hard links. `.` and `..` are asked for only with
   * `capabilities.exportSupport`.
   *
   * Absent: ENOSYS; nothing but the root can be reached.
   *
   * Errors: ENOENT, ENOTDIR, EACCES, ENAMETOOLONG, EIO, ESTALE
   */
  readonly lookup?: Operation<P.LookupRequest>

  /**
   * Takes lookups of a node back. No reply, so it cannot fail; it must not suspend.
   *
   * Sent some time after the kernel has dropped a node from its caches: memory pressure, a removed file's last
   * close, an unmount. `nlookup` is how many lookups this message gives back. A node may be freed when all of its
   * lookups have been given back and it has no name; the kernel does not name it again until another reply has.
   * `left` is what the kernel still holds by the connection's own count: a backend that does not count waits for 0.
   * BATCH_FORGET comes as one call for each node. An entry reply that the kernel did not take is given back too, and
   * after an unmount all that was still held: a backend that counts comes out at zero.
   */
  readonly forget?: (nodeid: P.U64, nlookup: number, left: number) => void

  /**
   * Reads a node's attributes (stat(2), fstat(2)).
   *
   * Sent when `attrValid` has passed, after an invalidation, and before cached pages are trusted with
   * `capabilities.autoInvalData`. With FUSE_GETATTR_FH in `getattrFlags`, `fh` is the open file that fstat(2) was
   * called on. The reply holds all of `Attr`; the kernel truncates its cached pages where `size` shrank. `ino` is
   * what stat(2) shows, `nodeid` what the protocol speaks of; they may differ.
   *
   * Absent: ENOSYS; not even the root can be looked at.
   *
   * Errors: ENOENT or ESTALE for a node that is gone, EACCES, EIO
   */
  readonly getattr?: Operation<P.GetattrRequest>

  /**
   * Changes attributes (chmod(2), chown(2), truncate(2), utimensat(2)).
   *
   * `valid` (FATTR_*) says which fields to apply: mode, owner, size, times, alone or together. FATTR_ATIME_NOW and
   * FATTR_MTIME_NOW mean the server's clock. With FATTR_FH, `fh` is the open file that ftruncate(2) was called on.
   * The reply holds the attributes after the change, which the kernel takes over.
   *
   * The kernel has checked permissions where the mount has `defaultPermissions`, and it clears set-user-ID and
   * set-group-ID itself, unless `handleKillprivV2` was negotiated: then FATTR_KILL_SUIDGID asks for it.
   *
   * Absent: ENOSYS.
   *
   * Errors: EPERM, EACCES, EFBIG, EINVAL, ENOSPC, EROFS, ETXTBSY, EIO
   */
  readonly setattr?: Operation<P.SetattrRequest>

  /**
   * Reads a symbolic link's target (readlink(2), and each path that leads through the link).
   *
   * The reply is the target as bytes or text, not ended by NUL, of 1 to 4095 bytes. The kernel keeps it with
   * `capabilities.cacheSymlinks`, else it asks each time.
   *
   * Absent: ENOSYS.
   *
   * Errors: EINVAL for what is no link, EIO
   */
  readonly readlink?: Operation<P.ReadlinkRequest>

  /**
   * Makes a symbolic link (symlink(2)).
   *
   * `nodeid` is the directory, `name` the new name, `target` what it leads to, unchecked. The reply is the link's
   * entry and counts as a lookup.
   *
   * Absent: ENOSYS.
   *
   * Errors: EEXIST, EACCES, ENOSPC, EDQUOT, EROFS, EPERM where links cannot be
   */
  readonly symlink?: Operation<P.SymlinkRequest>

  /**
   * Makes a file that is not opened: a device, a FIFO, a socket, or a regular file (mknod(2), mkfifo(3), bind(2)).
   *
   * `mode` has the type (S_IF*) and permissions, `rdev` a device's number. `umask` has been applied to `mode`
   * already, unless `capabilities.dontMask` was negotiated. Without `create` regular files are made by this and then
   * opened. The reply is the new node's entry and counts as a lookup.
   *
   * Absent: ENOSYS.
   *
   * Errors: EEXIST, EACCES, EPERM, ENOSPC, EDQUOT, EROFS
   */
  readonly mknod?: Operation<P.MknodRequest>

  /**
   * Makes a directory (mkdir(2)).
   *
   * `mode` has the permissions and the sticky bit, without the type; `umask` as for `mknod`. A directory below one
   * with set-group-ID inherits its group and that bit: the backend's to do. The reply is the new node's entry and
   * counts as a lookup.
   *
   * Absent: ENOSYS.
   *
   * Errors: EEXIST, EACCES, EMLINK, ENOSPC, EDQUOT, EROFS
   */
  readonly mkdir?: Operation<P.MkdirRequest>

  /**
   * Removes a name of what is no directory (unlink(2)).
   *
   * The node lives on while it is open or the kernel knows it: until its last `release` and `forget`. The kernel has
   * checked the sticky bit where the mount has `defaultPermissions`.
   *
   * Absent: ENOSYS.
   *
   * Errors: ENOENT, EISDIR, EPERM, EACCES, EBUSY, EROFS
   */
  readonly unlink?: Operation<P.UnlinkRequest>

  /**
   * Removes an empty directory (rmdir(2)).
   *
   * Absent: ENOSYS.
   *
   * Errors: ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EACCES, EBUSY, EROFS
   */
  readonly rmdir?: Operation<P.RmdirRequest>

  /**
   * Gives a file another name (rename(2), renameat2(2)).
   *
   * From `name` in directory `nodeid` to `newname` in `newdir`. Without flags it replaces what is there, in one
   * step: at no time is there neither. RENAME_NOREPLACE fails with EEXIST instead, RENAME_EXCHANGE swaps the two,
   * RENAME_WHITEOUT leaves a whiteout (a character device 0:0) behind. The kernel refuses to move a directory below
   * itself. Cached names move with it.
   *
   * A flag that is not known must be refused with EINVAL, never ignored. Absent: ENOSYS.
   *
   * Errors: ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EXDEV, EINVAL, EACCES, EPERM, EROFS
   */
  readonly rename?: Operation<P.RenameRequest>

  /**
   * Gives a node another name (link(2)).
   *
   * `oldnodeid` is the node, `nodeid` the directory of `newname`. The reply is the entry of the *same* node, `nlink`
   * one more, and counts as a lookup.
   *
   * Absent: EPERM, and the kernel does not ask again.
   *
   * Errors: EEXIST, EPERM for directories, EMLINK, EXDEV, ENOSPC, EROFS
   */
  readonly link?: Operation<P.LinkRequest>

  /**
   * Opens a file (open(2)).
   *
   * `flags` are open(2)'s, without O_CREAT, O_EXCL and O_NOCTTY; O_TRUNC comes only with
   * `capabilities.atomicOTrunc`. The kernel has checked access where the mount has `defaultPermissions`. `fh` of the
   * reply comes back with each request on this opening. `openFlags` (FOPEN_*): KEEP_CACHE keeps the pages of an
   * earlier opening, DIRECT_IO sends each read and write here, PASSTHROUGH with a `backingId` has the kernel read
   * and write the file by itself, NONSEEKABLE, STREAM, NOFLUSH and PARALLEL_DIRECT_WRITES as their names say.
   *
   * The reply must hold `fh`, any number of 64 bits (0 where handles are not told apart), and `openFlags`, 0 or
   * FOPEN_* of the kernel's; with PASSTHROUGH, which must have been agreed on, a `backingId` above 0. Another answer
   * is EIO for the caller, and nothing is open: no RELEASE comes.
   *
   * Absent: success with `fh` 0, and the kernel does not ask again (7.23 on); older kernels are answered so each
   * time.
   *
   * Errors: EACCES, EROFS, ETXTBSY, ENFILE, EMFILE, ENXIO
   */
  readonly open?: Operation<P.OpenRequest>

  /**
   * Reads from an open file (read(2), page faults, readahead).
   *
   * Answers up to `size` bytes from `offset` on. Fewer mean the end of the file: the kernel fills the rest of a page
   * with zeros, so a short answer in the middle shows as zeros, not as a short read. (With FOPEN_DIRECT_IO a short
   * answer is a short read.) The answer is one view, several, which are sent gathered, `{ fd, offset, length }` for
   * bytes that lie in a file of this process, or a list of both. With no `offset` the descriptor's current position is
   * read from, without waiting: an empty pipe is EAGAIN.
   *
   * A signal that ends the caller stops it (EINTR), and any signal where `interruptible` says so: slow reads
   * complete under timers. Absent: ENOSYS.
   *
   * Errors: EIO, EISDIR, EAGAIN
   */
  readonly read?: Operation<P.ReadRequest>

  /**
   * Writes to an open file (write(2), writeback of a mapping).
   *
   * `data` is a view into the request's slot and valid until this operation's Effect ends; whoever keeps it copies
   * it. The reply is the number of bytes written: all of them, unless FOPEN_DIRECT_IO allows a short write. With
   * FUSE_WRITE_CACHE in `writeFlags` it comes from the page cache: `fh` may be any opening's, and `pid` nobody's.
   * FUSE_WRITE_KILL_SUIDGID asks to clear set-user-ID and set-group-ID. O_APPEND is resolved by the kernel, from the
   * size that it knows.
   *
   * An answer is no promise that the data is safe: that is `fsync`'s. Absent: ENOSYS.
   *
   * Errors: ENOSPC, EDQUOT, EFBIG, EIO, EROFS
   */
  readonly write?: Operation<P.WriteRequest>

  /**
   * Writes to an open file, in place of `write` where a backend has both; libfuse's `write_buf`.
   *
   * `data` is a value: `data.spliceTo(fd, offset)` writes it to a file, `data.bytes()` gives it in memory. With
   * `capabilities.spliceRead` large data stays in a pipe until then, and reaches the file with one copy less. All else is as for
   * `write`. A combinator hands data on in memory.
   *
   * Absent: `write` is called.
   *
   * Errors: as `write`
   */
  readonly writeBuf?: (request: WriteBufRequest, context: RequestContext) => Effect.Effect<number, ErrnoError>

  /**
   * Describes the filesystem (statvfs(3), df(1)).
   *
   * `blocks`, `bfree` and `bavail` count units of `frsize` bytes. `nodeid` is the node asked about; one answer for
   * all of them is usual.
   *
   * Absent: zeros, with names of up to 255 bytes and blocks of 512, as libfuse answers.
   *
   * Errors: EIO
   */
  readonly statfs?: Operation<P.StatfsRequest>

  /**
   * The last descriptor of an opening was closed, and its last mapping is gone.
   *
   * Once for each successful `open` or `create`, with the same `fh`; the caller does not wait for it, and its answer
   * reaches nobody. FUSE_RELEASE_FLOCK_UNLOCK in `releaseFlags`: drop the flock(2) locks of `lockOwner`.
   *
   * Absent: success.
   */
  readonly release?: Operation<P.ReleaseRequest>

  /**
   * Makes a file's data, and without FUSE_FSYNC_FDATASYNC its attributes, safe from a power cut (fsync(2),
   * fdatasync(2), msync(2)).
   *
   * The kernel writes its dirty pages first. After a failure nothing written before may be reported safe until it
   * has been written again. `nodeid` may be a file that has no name any more.
   *
   * Absent: success, and the kernel does not ask again.
   *
   * Errors: EIO, ENOSPC, EDQUOT, EROFS
   */
  readonly fsync?: Operation<P.FsyncRequest>

  /**
   * Sets an extended attribute (setxattr(2)).
   *
   * XATTR_CREATE: it must not exist; XATTR_REPLACE: it must. Setting `system.posix_acl_access` may change the mode;
   * with FUSE_SETXATTR_ACL_KILL_SGID in `setxattrFlags` set-group-ID is to be cleared. Names in `user.`, `trusted.`,
   * `security.` and `system.` come here alike; what is not kept is refused with EOPNOTSUPP, never dropped.
   *
   * Absent: EOPNOTSUPP, and the kernel does not ask again.
   *
   * Errors: EEXIST, ENODATA, EOPNOTSUPP, ENOSPC, E2BIG, ERANGE, EPERM, EROFS
   */
  readonly setxattr?: Operation<P.SetxattrRequest>

  /**
   * Reads an extended attribute (getxattr(2)).
   *
   * With `size` 0 the reply is `{ size }`, else the value. The kernel keeps nothing: `security.capability` is asked
   * for before each write, unless the mount has no extended attributes.
   *
   * Absent: EOPNOTSUPP, and the kernel does not ask again, which saves that request.
   *
   * Errors: ENODATA, ERANGE when the value is longer than `size`, EOPNOTSUPP
   */
  readonly getxattr?: Operation<P.GetxattrRequest>

  /**
   * Lists the names of a node's extended attributes (listxattr(2)): each ended by a NUL, one after the other.
   *
   * With `size` 0 the reply is `{ size }`. Absent: EOPNOTSUPP, and the kernel does not ask again.
   *
   * Errors: ERANGE when the list is longer than `size`, EOPNOTSUPP
   */
  readonly listxattr?: Operation<P.ListxattrRequest>

  /**
   * Removes an extended attribute (removexattr(2)).
   *
   * Absent: EOPNOTSUPP, and the kernel does not ask again.
   *
   * Errors: ENODATA, EOPNOTSUPP, EPERM, EROFS
   */
  readonly removexattr?: Operation<P.RemovexattrRequest>

  /**
   * A descriptor was closed (close(2)); once for each, so several times for one opening that was duplicated or
   * inherited.
   *
   * Its error is what close(2) answers: the last place to report that written data will be lost. It is no fsync.
   * POSIX locks of `lockOwner` on the file are to be dropped, where locks are served here.
   *
   * Absent: success, and the kernel does not ask again.
   *
   * Errors: EIO, ENOSPC, EDQUOT
   */
  readonly flush?: Operation<P.FlushRequest>

  /**
   * Opens a directory (opendir(3)).
   *
   * `fh` of the reply comes back with `readdir`, `fsyncdir` and `releasedir`. FOPEN_CACHE_DIR lets the kernel keep
   * the listing, FOPEN_KEEP_CACHE use one that it has kept.
   *
   * The reply must hold `fh`, any number of 64 bits, and `openFlags`, as that of `open`.
   *
   * Absent: success with `fh` 0, and the kernel does not ask again (7.29 on).
   *
   * Errors: EACCES, ENOTDIR, ENFILE
   */
  readonly opendir?: Operation<P.OpendirRequest>

  /**
   * Lists a directory, from a place in it (getdents64(2)).
   *
   * Yields entries from `offset` on: 0, or an `off` given before. `off` of an entry is the place *after* it; it
   * stays valid while the directory is open, however it changes (a name that is there throughout is listed once).
   * The session takes as many entries as fit in `size`; no entry at all is the end. `.` and `..` are optional. `ino`
   * and `type` are for the program only. Places that fit in 31 bits suit 32-bit programs.
   *
   * Absent: ENOSYS.
   *
   * Errors: EIO, ENOTDIR
   */
  readonly readdir?: Operation<P.ReaddirRequest>

  /**
   * As `readdir`, with each name's entry: a LOOKUP for each name is saved.
   *
   * Sent when `readdirplus` was negotiated: always, or by the kernel's guess ("auto", the default). Each entry that
   * was sent counts as a lookup, but for those with `entry: undefined` and `.` and `..`.
   *
   * Absent: `readdir` is asked instead.
   *
   * Errors: EIO, ENOTDIR
   */
  readonly readdirplus?: Operation<P.ReaddirplusRequest>

  /**
   * The last descriptor of an opened directory was closed; as `release`.
   *
   * Absent: success.
   */
  readonly releasedir?: Operation<P.ReleasedirRequest>

  /**
   * Makes the names in a directory safe from a power cut (fsync(2) of a directory); as `fsync`.
   *
   * Absent: success, and the kernel does not ask again.
   *
   * Errors: EIO, ENOSPC
   */
  readonly fsyncdir?: Operation<P.FsyncdirRequest>

  /**
   * Tells which lock would stand in the way of `lk` (fcntl(2) F_GETLK).
   *
   * The reply is that lock, or `lk` with type F_UNLCK. Sent only with `capabilities.posixLocks`; without it the
   * kernel keeps locks itself, which is right for one host.
   *
   * Absent, though the capability is declared: ENOSYS.
   */
  readonly getlk?: Operation<P.GetlkRequest>

  /**
   * Sets or drops a lock, without waiting (fcntl(2) F_SETLK, flock(2) with LOCK_NB; FUSE_LK_FLOCK in `lkFlags` tells
   * which).
   *
   * `owner` names the holder: a process's file table, or for flock(2) an opening. F_UNLCK drops; a part of a range
   * may be dropped.
   *
   * Errors: EAGAIN when another holds it, ENOLCK, EBADF
   */
  readonly setlk?: Operation<P.SetlkRequest>

  /**
   * As `setlk`, and waits until the lock can be had (F_SETLKW, flock(2)).
   *
   * Interruptible: a signal of the caller interrupts the fiber, which must leave no lock behind. Requests that wait
   * here do not count towards the limits, since the unlock that frees them must get through.
   *
   * Errors: EINTR, EDEADLK, ENOLCK
   */
  readonly setlkw?: Operation<P.SetlkwRequest>

  /**
   * Checks permissions (access(2), chdir(2)).
   *
   * Sent only where the mount leaves permissions to the server (`defaultPermissions: false`). `mask` is of R_OK,
   * W_OK and X_OK.
   *
   * Absent: all is allowed, and the kernel does not ask again.
   *
   * Errors: EACCES, EROFS
   */
  readonly access?: Operation<P.AccessRequest>

  /**
   * Makes a regular file and opens it in one step (open(2) with O_CREAT).
   *
   * `mode` and `umask` as for `mknod`, `flags` as for `open`. Sent when the kernel believes that the name is free;
   * if it is not, the file there is opened, unless O_EXCL is in `flags`. The reply is entry and opening together and
   * counts as a lookup.
   *
   * Absent: `mknod` and `open` are asked instead, and the kernel does not try again.
   *
   * Errors: EEXIST, EACCES, EISDIR, ENOSPC, EDQUOT, EROFS
   */
  readonly create?: Operation<P.CreateRequest>

  /**
   * Tells where a file's block lies on the device (ioctl(2) FIBMAP, swap files).
   *
   * Sent only to mounts with `blkdev`. `block` counts units of `blocksize` bytes in the file; so does the answer on
   * the device.
   *
   * Absent: FIBMAP answers 0, and the kernel does not ask again.
   */
  readonly bmap?: Operation<P.BmapRequest>

  /**
   * Serves an ioctl(2) on an open file or directory.
   *
   * For `/dev/fuse` ioctls are restricted: how many bytes go in and out follows from `cmd` (_IOR, _IOW, _IOWR), and
   * `data` holds what the caller gave. `result` is what ioctl(2) returns. `retry` is for unrestricted ioctls only.
   * FS_IOC_GETFLAGS and its kin (chattr(1)) come this way too. Directories come with FUSE_IOCTL_DIR in `flags`.
   *
   * A signal of the caller stops it. Absent: ENOTTY.
   *
   * Errors: ENOTTY for a command that is not known, EINVAL, EFAULT
   */
  readonly ioctl?: Operation<P.IoctlRequest>

  /**
   * Tells which events are ready (poll(2), select(2), epoll(7)).
   *
   * With FUSE_POLL_SCHEDULE_NOTIFY in `flags` the caller will sleep: when the state changes, `notify.poll(kh)` has
   * the kernel ask again. Answers at once; it is not the place to wait.
   *
   * Absent: always readable and writable, and the kernel does not ask again.
   */
  readonly poll?: Operation<P.PollRequest>

  /**
   * Reserves, zeroes or removes a range of a file (fallocate(2), posix_fallocate(3)).
   *
   * `mode` is of FALLOC_FL_*; a mode that is not known is refused with EOPNOTSUPP. Without KEEP_SIZE the file grows
   * to the range's end. `offset + length` may exceed what can be stored: EFBIG or ENOSPC, in bounded time.
   *
   * Absent: EOPNOTSUPP, and the kernel does not ask again.
   *
   * Errors: EOPNOTSUPP, ENOSPC, EFBIG, EINVAL, EROFS
   */
  readonly fallocate?: Operation<P.FallocateRequest>

  /**
   * Finds data or a hole (lseek(2) with SEEK_DATA and SEEK_HOLE only; the kernel does the others).
   *
   * The answer is the first offset at or after `offset` that is data, or a hole; the end of the file is one.
   *
   * Absent: the whole file is data, and the kernel does not ask again.
   *
   * Errors: ENXIO at or beyond the end, EINVAL
   */
  readonly lseek?: Operation<P.LseekRequest>

  /**
   * Copies between two open files of this mount (copy_file_range(2)).
   *
   * The answer is how many bytes were copied; fewer than `len` at the end of the source. `wide` tells which of two
   * opcodes came: lengths beyond 4 GiB come with 7.45 on.
   *
   * Absent: the kernel copies by reading and writing, and does not ask again.
   *
   * Errors: EOPNOTSUPP to have the kernel copy, EXDEV, EINVAL for ranges that overlap in one file, ENOSPC, EFBIG
   */
  readonly copyFileRange?: Operation<P.CopyFileRangeRequest>

  /**
   * Maps a range of a file into the DAX window. Comes only on virtiofs, which `/dev/fuse` never is; here for servers
   * of that protocol.
   */
  readonly setupmapping?: Operation<P.SetupmappingRequest>

  /**
   * Takes mappings out of the DAX window. As `setupmapping`.
   */
  readonly removemapping?: Operation<P.RemovemappingRequest>

  /**
   * Makes the whole filesystem safe from a power cut (syncfs(2), sync(2), and an unmount).
   *
   * Sent only to mounts with `blkdev`. Absent: success.
   *
   * Errors: EIO, ENOSPC
   */
  readonly syncfs?: Operation<P.SyncfsRequest>

  /**
   * Makes and opens a file without a name (open(2) with O_TMPFILE).
   *
   * `nodeid` is the directory whose filesystem it is to be on; `nlink` of the reply is 0. A later `link` may give it
   * a name, unless O_EXCL is in `flags`. The reply counts as a lookup.
   *
   * Absent: EOPNOTSUPP, and the kernel does not ask again.
   *
   * Errors: EOPNOTSUPP, EACCES, ENOSPC, EDQUOT, EROFS
   */
  readonly tmpfile?: Operation<P.TmpfileRequest>

  /**
   * Reads attributes that GETATTR has no room for (statx(2) with STATX_BTIME).
   *
   * `sxMask` (STATX_*) is what the caller wants; `stat.mask` of the reply is what is there. Sent since 7.39, when
   * the creation time is asked for.
   *
   * Absent: `getattr` is asked instead, and the kernel does not try again.
   *
   * Errors: as `getattr`
   */
  readonly statx?: Operation<P.StatxRequest>
}

/** As `Backend`, but each operation, `init` and `destroy` may also be an `async` function. */
export type AsyncBackend = Omit<Backend, keyof P.ReplyOf | "init" | "destroy" | "writeBuf"> & {
  readonly [Op in keyof P.ReplyOf & keyof Backend as Op extends "init" | "destroy" ? never : Op]?: AsyncOperation<
    Extract<P.Request, { readonly op: Op }>
  >
} & {
  /** As `Backend.writeBuf`. */
  readonly writeBuf?: (
    request: WriteBufRequest,
    context: RequestContext
  ) => Effect.Effect<number, unknown> | PromiseLike<number>
  /** As `Backend.init`. */
  readonly init?: (
    negotiated: Negotiated,
    connection: BackendConnection
  ) => Effect.Effect<void, unknown> | PromiseLike<void>
  /** As `Backend.destroy`. */
  readonly destroy?: () => Effect.Effect<void> | PromiseLike<void>
}
