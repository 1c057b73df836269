/**
 * The table of `-o` options, named as in mount.fuse3(8), mount(8) and tmpfs(5). The parser, the help and `docs/options.md`
 * are made from it. A kind of source says by itself which options of sources it takes (`SourceKind.options`).
 */
import type { MemoryOptions, Owner, PassthroughOptions, PostgresOptions } from "@bickford/backends"
import type { MountOptions } from "@bickford/session"

type Writable<A> = { -readonly [K in keyof A]: A[K] }

/** Which branch of a directory is served. */
interface BranchOptions {
  /** Its name. Default: `main`. */
  readonly branch?: string
  /** The directory that has the branches. Default: one in the user's data directory. */
  readonly store?: string
  /** Whether it is recorded who changed what. Default: true. */
  readonly audit?: boolean
}

/** What `-o` says, sorted by who needs it. */
export interface ParsedOptions {
  readonly mount: Partial<Omit<MountOptions, "mountpoint" | "backend" | "session">>
  readonly memory: MemoryOptions
  readonly passthrough: PassthroughOptions
  readonly workspace: BranchOptions
  readonly postgres: Pick<PostgresOptions, "connections" | "grace" | "manyHosts">
  readonly owner: Owner
  readonly session: NonNullable<MountOptions["session"]>
  /** Root is let in, besides the user who mounts, and nobody else. */
  readonly allowRoot: boolean
  /** A server that is killed leaves no dead mountpoint. */
  readonly autoUnmount: boolean
  /** Every request and reply is written to stderr. */
  readonly debug: boolean
}

/** What rows write into. */
export interface Target {
  readonly mount: Writable<ParsedOptions["mount"]>
  readonly memory: Writable<MemoryOptions>
  readonly passthrough: Writable<PassthroughOptions>
  readonly workspace: Writable<BranchOptions>
  readonly postgres: Writable<ParsedOptions["postgres"]>
  readonly owner: Writable<Owner>
  readonly session: Writable<ParsedOptions["session"]>
  allowRoot: boolean
  autoUnmount: boolean
  debug: boolean
}

/**
 * Who takes an option: `mount()`, of any program; this command, around whatever it serves; some kinds of source; or
 * nobody, since it is so in any case, or meant for mount(8) alone.
 */
type Taker = "mount" | "command" | "source" | "nobody"

/** How a value is written. */
export type NumberForm = "number" | "octal" | "seconds" | "size"

/** An option that is known. */
export type Row =
  | { readonly takes: "nothing"; readonly by: Taker; readonly help: string; readonly apply: (target: Target) => void }
  | {
      readonly takes: "text"
      readonly by: Taker
      readonly help: string
      readonly apply: (target: Target, value: string) => void
    }
  | {
      readonly takes: NumberForm
      readonly by: Taker
      readonly help: string
      readonly least: number
      readonly most: number
      readonly apply: (target: Target, value: number) => void
    }
  /** Makes no sense here: `help` says why, and what to use instead. */
  | { readonly takes: "refused"; readonly help: string }

const flag = (help: string, apply: (target: Target) => void, by: Taker = "mount"): Row => ({
  takes: "nothing",
  by,
  help,
  apply
})
const text = (help: string, apply: (target: Target, value: string) => void, by: Taker = "mount"): Row => ({
  takes: "text",
  by,
  help,
  apply
})
const valued =
  (takes: NumberForm, least: number, most: number, by: Taker) =>
  (help: string, apply: (target: Target, value: number) => void): Row => ({
    takes,
    by,
    help,
    least,
    most,
    apply
  })
const refused = (help: string): Row => ({ takes: "refused", help })
const without = (help: string): Row => flag(help, () => {}, "nobody")

const whole = (least: number, most: number) => valued("number", least, most, "mount")
/** -1 is no user's id. */
const id = valued("number", 0, 0xffff_fffe, "command")
const mask = valued("octal", 0, 0o777, "command")
const timeout = valued("seconds", 0, 0xffff_ffff, "source")
const amount = valued("size", 1, Number.MAX_SAFE_INTEGER, "source")

const label = (name: "context" | "fscontext" | "defcontext" | "rootcontext", of: string): Row =>
  text(
    `SELinux: the label of ${of} (root only)`,
    ({ mount }, value) => (mount.securityContexts = { ...mount.securityContexts, [name]: value })
  )

const setAtime = ({ mount }: Target, noatime: boolean, strictatime: boolean): void => {
  mount.noatime = noatime
  mount.strictatime = strictatime
}

const kernelsPart = "it is the kernel's, and the mount gives it; leave it out"
const oneThread =
  "one thread serves a mount, and answers one call at a time; use the daemon, whose mounts have a process each"
const splicing =
  "a module's backend asks for it by its capabilities (spliceWrite, spliceMove); passthrough: has the kernel go past this process"
const spliceOff = "so in any case, unless a module's backend asks for it by its capabilities"
const caching =
  "each source decides it by what it knows: memory: and sqlite: always keep pages, passthrough: while a file is unchanged; a module sets it in its reply to open"

/** By name, in the order of the help. */
export const optionTable: { readonly [name: string]: Row } = {
  ro: flag("read-only", (t) => (t.mount.readOnly = true)),
  rw: flag("read and write (the default)", (t) => (t.mount.readOnly = false)),
  allow_other: flag("let other users in (root's mounts do; others need user_allow_other in /etc/fuse.conf)", (t) => {
    t.mount.allowOther = true
    t.allowRoot = false
  }),
  allow_root: flag(
    "let root in, but no other user (others than root need user_allow_other in /etc/fuse.conf)",
    (t) => {
      t.mount.allowOther = true
      t.allowRoot = true
      // A file that is read without an open could be read by everybody.
      t.memory.opens = true
    },
    "command"
  ),
  default_permissions: flag(
    "let the kernel check permissions by mode and owner (the default)",
    (t) => (t.mount.defaultPermissions = t.session.posixAcl = true)
  ),
  no_default_permissions: flag(
    "leave permissions to the filesystem; memory: checks none",
    (t) => (t.mount.defaultPermissions = t.session.posixAcl = false)
  ),
  suid: flag(
    "honour set-user-ID bits and file capabilities (root only); mount.fuse3 gives it unless told nosuid",
    (t) => (t.mount.suid = true)
  ),
  nosuid: flag("do not (the default)", (t) => (t.mount.suid = false)),
  dev: flag(
    "device nodes are devices (root only); mount.fuse3 gives it unless told nodev",
    (t) => (t.mount.dev = true)
  ),
  nodev: flag("they are not (the default)", (t) => (t.mount.dev = false)),
  noexec: flag("no programs can be run from it", (t) => (t.mount.noexec = true)),
  exec: flag("they can (the default)", (t) => (t.mount.noexec = false)),
  sync: flag("every write is synchronous", (t) => (t.mount.sync = true)),
  async: flag("undoes sync", (t) => (t.mount.sync = false)),
  dirsync: flag("changes of directories are synchronous", (t) => (t.mount.dirsync = true)),
  nosymfollow: flag("no symbolic link in it is followed", (t) => (t.mount.nosymfollow = true)),
  symfollow: flag("they are (the default)", (t) => (t.mount.nosymfollow = false)),
  noatime: flag("reading changes no times", (t) => setAtime(t, true, false)),
  relatime: flag("the first read after a change, or in a day, marks the time (the default)", (t) =>
    setAtime(t, false, false)
  ),
  norelatime: flag("as relatime, which it undoes in mount(8) alone", (t) => setAtime(t, false, false)),
  strictatime: flag("every read that the kernel asks for marks the time", (t) => setAtime(t, false, true)),
  nostrictatime: flag("undoes strictatime", (t) => (t.mount.strictatime = false)),
  atime: flag("undoes noatime", (t) => (t.mount.noatime = false)),
  nodiratime: flag("listing changes no times of directories", (t) => (t.mount.nodiratime = true)),
  diratime: flag("undoes nodiratime", (t) => (t.mount.nodiratime = false)),
  context: label("context", "every file"),
  fscontext: label("fscontext", "the filesystem itself"),
  defcontext: label("defcontext", "files without one"),
  rootcontext: label("rootcontext", "the root"),
  fsname: text("the source shown in /proc/mounts", (t, value) => (t.mount.fsname = value)),
  subtype: text("the type shown is fuse.SUBTYPE", (t, value) => (t.mount.subtype = value)),
  blkdev: flag("mount a block device, named with fsname, as type fuseblk (root only)", (t) => (t.mount.blkdev = true)),
  blksize: whole(512, 1 << 20)(
    "the block size of a blkdev mount, a power of two (default 512)",
    (t, value) => (t.mount.blksize = value)
  ),
  max_read: whole(0, 0xffff_ffff)(
    "the largest read, in bytes, at least 4096; 0: no limit",
    (t, value) => (t.mount.maxRead = value)
  ),
  max_write: whole(4096, 65535 * 4096)(
    "the largest write, in bytes (default 1048576; more needs the sysctl fs.fuse.max_pages_limit)",
    (t, value) => (t.session.maxWrite = value)
  ),
  max_readahead: whole(0, 0xffff_ffff)(
    "how far the kernel reads ahead, in bytes (default: 384 KiB, or 128 KiB where root does not mount)",
    (t, value) => (t.session.maxReadahead = value)
  ),
  max_background: whole(1, 0xffff)(
    "how many requests of the kernel's own wait at once (default 64)",
    (t, value) => (t.session.maxBackground = value)
  ),
  congestion_threshold: whole(1, 0xffff)(
    "with how many the mount counts as busy (default: three quarters of max_background)",
    (t, value) => (t.session.congestionThreshold = value)
  ),
  async_read: flag("several reads of one file at once (the default)", (t) => (t.session.asyncRead = true)),
  sync_read: flag("one after the other", (t) => (t.session.asyncRead = false)),
  no_remote_lock: flag(
    "locks are the kernel's, though the filesystem could keep them",
    (t) => (t.session.posixLocks = t.session.flock = false)
  ),
  no_remote_posix_lock: flag("as no_remote_lock, for locks of fcntl(2)", (t) => (t.session.posixLocks = false)),
  no_remote_flock: flag("as no_remote_lock, for locks of flock(2)", (t) => (t.session.flock = false)),
  self_wait_timeout: valued(
    "seconds",
    0,
    4_294_967,
    "mount"
  )(
    "how long the server may wait for itself before it is let go, with every call (default 2; 0: for ever)",
    (t, value) => (t.mount.selfWaitTimeout = value * 1000)
  ),
  request_timeout: whole(0, 0xffff)(
    "how many seconds a call may wait for its answer before the kernel aborts the connection: 15 at least, looked at every 15 (default 0: for ever; Linux 6.15)",
    (t, value) => (t.session.requestTimeout = value)
  ),
  sync_init: flag(
    "the mount is there when the filesystem has answered, and never when it cannot (root, Linux 6.18; elsewhere as without)",
    (t) => (t.mount.syncInit = true)
  ),
  max_threads: whole(1, 0xffff)(
    "how many threads may serve, by io_uring queues, where root allows it: passthrough: by one for each CPU, all else by one (docs/io-uring.md)",
    (t, value) => (t.mount.threads = value)
  ),
  no_resend: flag(
    "calls that are lost with a worker are not delivered again, as before Linux 6.9: they fail, and it is mounted anew",
    (t) => (t.session.resend = false)
  ),
  uid: id("the owner that every file is shown with", (t, value) => (t.owner.uid = value)),
  gid: id("the group that every file is shown with", (t, value) => (t.owner.gid = value)),
  umask: mask("every file is shown with the permissions 0777 without these", (t, value) => (t.owner.umask = value)),
  fmask: mask("in place of umask, for all but directories", (t, value) => (t.owner.fmask = value)),
  dmask: mask("in place of umask, for directories", (t, value) => (t.owner.dmask = value)),
  auto_unmount: flag("unmount when the server has died", (t) => (t.autoUnmount = true), "command"),
  debug: flag("write every request and reply to stderr, as -d", (t) => (t.debug = true), "command"),
  entry_timeout: timeout(
    "how long the kernel may trust a name",
    (t, value) => (t.memory.entryTimeout = t.passthrough.entryTimeout = value)
  ),
  attr_timeout: timeout(
    "how long the kernel may trust attributes",
    (t, value) => (t.memory.attrTimeout = t.passthrough.attrTimeout = value)
  ),
  negative_timeout: timeout(
    "how long the kernel may trust that a name is missing",
    (t, value) => (t.memory.negativeTimeout = t.passthrough.negativeTimeout = value)
  ),
  mode: valued(
    "octal",
    0,
    0o7777,
    "source"
  )("the permissions of a new filesystem's root", (t, value) => (t.memory.mode = value)),
  size: amount(
    "the most bytes of data, with k, m or g (default of memory: half of the machine's memory)",
    (t, value) => (t.memory.capacity = value)
  ),
  nr_inodes: amount("the most files and directories", (t, value) => (t.memory.maxInodes = value)),
  no_xattr: flag("no extended attributes", (t) => (t.memory.xattrs = t.passthrough.xattrs = false), "source"),
  branch: text("the branch that changes go to (default main)", (t, value) => (t.workspace.branch = value), "source"),
  store: text(
    "the directory that keeps the branches (default: one in the user's data directory)",
    (t, value) => (t.workspace.store = value),
    "source"
  ),
  connections: valued(
    "number",
    2,
    1000,
    "source"
  )("the most connections with the database server (default 4)", (t, value) => (t.postgres.connections = value)),
  server_grace: timeout(
    "how long a call waits for a database server that is away, before it fails (default 30)",
    (t, value) => (t.postgres.grace = value)
  ),
  many_hosts: flag(
    "other mounts may serve the store at the same time, if all have this option; being tried out",
    (t) => (t.postgres.manyHosts = true),
    "source"
  ),
  no_audit: flag("it is not recorded who changed what", (t) => (t.workspace.audit = false), "source"),
  writeback_cache: flag(
    "the kernel keeps what is written, and writes it back later; needs no_kernel_passthrough",
    (t) => (t.passthrough.writebackCache = true),
    "source"
  ),
  no_kernel_passthrough: flag(
    "data goes through this process, also where the kernel could do without",
    (t) => (t.passthrough.kernelPassthrough = false),
    "source"
  ),
  splice_read: flag(
    "large writes that come to this process are spliced to their files, not copied by way of its memory; with no_kernel_passthrough all do",
    (t) => (t.passthrough.spliceRead = true),
    "source"
  ),

  defaults: without("mount(8)'s defaults, which are the defaults here"),
  auto: without("for mount(8)"),
  noauto: without("for mount(8)"),
  user: without("for mount(8)"),
  nouser: without("for mount(8)"),
  users: without("for mount(8)"),
  owner: without("for mount(8)"),
  group: without("for mount(8)"),
  nofail: without("for mount(8)"),
  _netdev: without("for mount(8)"),
  comment: without("for mount(8)"),
  silent: without("for the kernel's log"),
  loud: without("for the kernel's log"),
  nolazytime: without("so in any case"),
  nonempty: without("so in any case: a directory that is mounted on may hold files"),
  big_writes: without("so in any case"),
  large_read: without("so in any case"),
  no_splice_read: flag(
    "undoes splice_read; so in any case without it",
    (t) => delete t.passthrough.spliceRead,
    "nobody"
  ),
  no_splice_write: without(spliceOff),
  no_splice_move: without(spliceOff),

  lazytime: refused("the server keeps times, and keeps them at once; leave it out"),
  fd: refused("it is the kernel's; a device that was mounted already is given as the mountpoint: /dev/fd/N"),
  rootmode: refused(kernelsPart),
  user_id: refused(kernelsPart),
  group_id: refused(kernelsPart),
  splice_write: refused(splicing),
  splice_move: refused(splicing),
  clone_fd: refused(oneThread),
  max_idle_threads: refused(oneThread),
  kernel_cache: refused(caching),
  auto_cache: refused(caching),
  ac_attr_timeout: refused(caching),
  direct_io: refused(
    "a module sets FOPEN_DIRECT_IO in its reply to open, and a program opens with O_DIRECT; passthrough: has no_kernel_passthrough"
  ),
  remember: refused(
    "nodes are kept for as long as the kernel knows them, and found again by memory: and sqlite: after that; leave it out"
  ),
  noforget: refused("as remember"),
  hard_remove: refused(
    "a removed file that is open lives on without a name; only a path filesystem of a module hides it, where its callbacks need a path"
  ),
  use_ino: refused("inode numbers are always the filesystem's own; leave it out"),
  readdir_ino: refused("inode numbers are always the filesystem's own; leave it out"),
  intr: refused("operations can be interrupted where the backend says so (Backend.interruptible); leave it out"),
  intr_signal: refused("operations can be interrupted where the backend says so (Backend.interruptible); leave it out"),
  modules: refused(
    "libfuse's modules are not for Bickford; a module: may stack backends with mountTable, withOwner and readOnly"
  ),
  subdir: refused("serve that directory itself: passthrough:DIR/SUBDIR")
}
