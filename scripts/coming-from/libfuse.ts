/** libfuse's low-level API: `fuse_lowlevel.h` of libfuse 3 and its reference page. */
import { optionTable } from "../../packages/daemon/src/options/table.ts"
import {
  byBlockDevice,
  byEveryOperation,
  type Document,
  exported,
  member,
  option,
  type Row,
  type Tested
} from "./Row.ts"

const notifications: Tested = ["test/mount/notify.test.ts", "invalInode, invalEntry and store change what programs see"]
const init: Tested = ["packages/protocol/test/init.test.ts", ""]
const embedded: Tested = ["test/wire/embed.test.ts", "serves what the program has read, and nothing else"]
const spliced: Tested = ["test/mount/splice.test.ts", "files of any size have their bytes at any offset"]
const ranges: Tested = ["test/wire/fileRange.test.ts", ""]
const golden: Tested = ["packages/protocol/test/golden.test.ts", ""]
const messages = "A member of the operation's request or reply, not a function: the compiler checks it."

const operation = (
  theirs: string,
  name: Parameters<typeof member<"Backend">>[1],
  note?: string,
  test: Row["test"] = byEveryOperation
): Row => ({
  theirs,
  ours: [member("Backend", name)],
  ...(note === undefined ? {} : { note }),
  test
})

const operations: ReadonlyArray<Row> = [
  operation(
    "init",
    "init",
    "Called once the kernel's INIT has been agreed on; capabilities are declared before, by `Backend.capabilities`.",
    init
  ),
  operation("destroy", "destroy", undefined, byBlockDevice),
  operation("lookup", "lookup"),
  operation("forget", "forget", "No reply. Called each time the kernel gives lookups back, with as many.", [
    "test/mount/everyOperation/notify.test.ts",
    "prune: the kernel gives back nodes"
  ]),
  operation("forget_multi", "forget", "BATCH_FORGET is one call of `forget` for each node.", [
    "test/wire/session.test.ts",
    ""
  ]),
  operation("getattr", "getattr"),
  operation("setattr", "setattr", "`to_set` is `valid`, with FATTR_* of `Protocol.setattrValid`."),
  operation("readlink", "readlink"),
  operation("mknod", "mknod"),
  operation("mkdir", "mkdir"),
  operation("unlink", "unlink"),
  operation("rmdir", "rmdir"),
  operation("symlink", "symlink"),
  operation("rename", "rename", "`flags` as renameat2(2)."),
  operation("link", "link"),
  operation("open", "open"),
  operation("read", "read"),
  operation("write", "write"),
  {
    theirs: "write_buf",
    ours: [member("Backend", "writeBuf")],
    note: "`data.spliceTo(fd, offset)` or `data.bytes()`; in a pipe until then with `capabilities.spliceRead`. Memory that data is to stay in is lent by `BackendConnection.lendMemory`.",
    test: ["test/mount/writeBuf.test.ts", "data of any size reaches a file"]
  },
  operation("flush", "flush"),
  operation("release", "release"),
  operation("fsync", "fsync", "`datasync` is FUSE_FSYNC_FDATASYNC of `fsyncFlags`."),
  operation("opendir", "opendir"),
  operation("readdir", "readdir", "Answers entries; the session packs as many as fit."),
  operation(
    "readdirplus",
    "readdirplus",
    "Each entry that is sent counts as a lookup; the session counts those that fitted."
  ),
  operation("releasedir", "releasedir"),
  operation("fsyncdir", "fsyncdir"),
  operation("statfs", "statfs"),
  operation("setxattr", "setxattr"),
  operation("getxattr", "getxattr"),
  operation("listxattr", "listxattr"),
  operation("removexattr", "removexattr"),
  operation("access", "access"),
  operation("create", "create"),
  operation("getlk", "getlk"),
  operation("setlk", "setlk", "With `sleep` it is `setlkw`."),
  operation("flock", "setlk", "With FUSE_LK_FLOCK in `lkFlags`; declare `capabilities.flock`."),
  operation("bmap", "bmap", "Only mounts with `blkdev` are asked.", byBlockDevice),
  operation("ioctl", "ioctl"),
  operation("poll", "poll"),
  {
    theirs: "retrieve_reply",
    ours: [member("Notify", "retrieve")],
    note: "The bytes are what the Effect of `retrieve` succeeds with: no cookie to match.",
    test: notifications
  },
  operation("fallocate", "fallocate"),
  operation("copy_file_range", "copyFileRange"),
  operation("lseek", "lseek")
]

const reply = (
  theirs: string,
  name: Parameters<typeof member<"ReplyOf">>[1],
  note?: string,
  test: Row["test"] = byEveryOperation
): Row => ({
  theirs,
  ours: [member("ReplyOf", name)],
  ...(note === undefined ? {} : { note }),
  test
})

const replies: ReadonlyArray<Row> = [
  {
    theirs: "fuse_reply_err",
    ours: [exported("@bickford/session", "Errno")],
    note: "`return Errno.ENOENT`. Success without a body is `Exit.void`.",
    test: byEveryOperation
  },
  {
    theirs: "fuse_reply_none",
    ours: [member("Backend", "forget")],
    note: "`forget` returns nothing, and nothing is sent.",
    test: ["test/wire/invariants.test.ts", ""]
  },
  reply("fuse_reply_entry", "lookup", "`nodeid` 0 says that there is no such name, for as long as `entryValid`."),
  reply("fuse_reply_create", "create"),
  reply("fuse_reply_attr", "getattr", "`attr_timeout` is `attrValid`, exact to the nanosecond."),
  reply("fuse_reply_readlink", "readlink"),
  reply("fuse_reply_open", "open", "`fuse_file_info`'s bits are FOPEN_* in `openFlags`.", [
    "test/mount/everyOperation/openFlags.test.ts",
    "FOPEN_NONSEEKABLE"
  ]),
  reply("fuse_reply_write", "write"),
  reply("fuse_reply_buf", "read"),
  reply("fuse_reply_iov", "read", "A list of views is sent gathered (writev(2)).", ["test/wire/data.test.ts", ""]),
  reply(
    "fuse_reply_data",
    "read",
    "`{ fd, offset, length }` for data that lies in a file, alone or in a list; spliced with `capabilities.spliceWrite`.",
    ranges
  ),
  reply("fuse_reply_statfs", "statfs"),
  reply("fuse_reply_xattr", "getxattr", "`{ size }` when the size was asked for."),
  reply("fuse_reply_lock", "getlk"),
  reply("fuse_reply_bmap", "bmap", undefined, byBlockDevice),
  {
    theirs: "fuse_add_direntry",
    ours: [member("ReplyOf", "readdir")],
    note: "The session packs what the operation yields.",
    test: byEveryOperation
  },
  {
    theirs: "fuse_add_direntry_plus",
    ours: [member("ReplyOf", "readdirplus")],
    note: "Likewise.",
    test: byEveryOperation
  },
  {
    theirs: "fuse_reply_ioctl",
    ours: [member("IoctlReply", "result"), member("IoctlReply", "data")],
    test: byEveryOperation
  },
  {
    theirs: "fuse_reply_ioctl_iov",
    ours: [member("IoctlReply", "data")],
    note: "`data` may be a list of views.",
    test: byEveryOperation
  },
  {
    theirs: "fuse_reply_ioctl_retry",
    ours: [member("IoctlReply", "retry")],
    note: "The kernel takes it only from unrestricted ioctls (CUSE); for `/dev/fuse` it answers the caller EIO.",
    test: golden
  },
  reply("fuse_reply_poll", "poll"),
  reply("fuse_reply_lseek", "lseek")
]

const notifies: ReadonlyArray<Row> = [
  {
    theirs: "fuse_lowlevel_notify_poll",
    ours: [member("Notify", "poll")],
    note: "`kh` of the POLL stands for the poll handle; there is none to destroy.",
    test: ["test/mount/everyOperation/notify.test.ts", "poll: a program that waits"]
  },
  {
    theirs: "fuse_pollhandle_destroy",
    ours: [],
    note: "A poll handle is a number (`kh`); nothing is allocated.",
    test: "Nothing to test."
  },
  {
    theirs: "fuse_lowlevel_notify_inval_inode",
    ours: [member("Notify", "invalInode")],
    note: "From inside an operation it is queued: it cannot deadlock.",
    test: notifications
  },
  { theirs: "fuse_lowlevel_notify_inval_entry", ours: [member("Notify", "invalEntry")], test: notifications },
  {
    theirs: "fuse_lowlevel_notify_expire_entry, FUSE_LL_EXPIRE_ONLY",
    ours: [member("Notify", "invalEntry")],
    note: "`{ expireOnly: true }`.",
    test: ["test/mount/everyOperation/notify.test.ts", "invalEntry with expireOnly"]
  },
  { theirs: "fuse_lowlevel_notify_delete", ours: [member("Notify", "delete")], test: notifications },
  { theirs: "fuse_lowlevel_notify_store", ours: [member("Notify", "store")], test: notifications },
  { theirs: "fuse_lowlevel_notify_retrieve", ours: [member("Notify", "retrieve")], test: notifications }
]

const requests: ReadonlyArray<Row> = [
  {
    theirs: "fuse_ino_t",
    ours: [member("Entry", "nodeid")],
    note: "`U64`: a number when it is safe, else a bigint; never rounded.",
    test: golden
  },
  {
    theirs: "fuse_req_t",
    ours: [],
    note: "An operation takes one request object and returns its answer; a second reply cannot be written.",
    test: ["test/wire/invariants.test.ts", ""]
  },
  {
    theirs: "FUSE_ROOT_ID",
    ours: [exported("@bickford/protocol", "limits")],
    note: "`limits.FUSE_ROOT_ID`, 1.",
    test: golden
  },
  {
    theirs: "FUSE_SET_ATTR_*",
    ours: [exported("@bickford/protocol", "setattrValid")],
    note: "FATTR_*, the kernel's names. FORCE, OPEN, TIMES_SET, TOUCH and FILE are the kernel's own and do not come over the wire.",
    test: golden
  },
  { theirs: "fuse_entry_param.ino", ours: [member("Entry", "nodeid")], note: messages, test: golden },
  { theirs: "fuse_entry_param.generation", ours: [member("Entry", "generation")], note: messages, test: golden },
  { theirs: "fuse_entry_param.attr", ours: [member("Entry", "attr")], note: messages, test: golden },
  {
    theirs: "fuse_entry_param.attr_timeout",
    ours: [member("Entry", "attrValid")],
    note: "Seconds and nanoseconds.",
    test: golden
  },
  {
    theirs: "fuse_entry_param.entry_timeout",
    ours: [member("Entry", "entryValid")],
    note: "Seconds and nanoseconds.",
    test: golden
  },
  { theirs: "fuse_ctx.uid", ours: [member("RequestContext", "uid")], test: ["test/mount/options.test.ts", ""] },
  { theirs: "fuse_ctx.gid", ours: [member("RequestContext", "gid")], test: ["test/mount/options.test.ts", ""] },
  { theirs: "fuse_ctx.pid", ours: [member("RequestContext", "pid")], test: golden },
  { theirs: "fuse_ctx.umask", ours: [member("RequestContext", "umask")], test: byEveryOperation },
  {
    theirs: "fuse_req_ctx",
    ours: [member("RequestContext", "uid")],
    note: "The context is each operation's second argument.",
    test: byEveryOperation
  },
  {
    theirs: "fuse_req_userdata",
    ours: [],
    note: "A backend is an object with closures; nothing is passed around it.",
    test: "Nothing to test."
  },
  { theirs: "fuse_req_getgroups", ours: [member("RequestContext", "groups")], test: ["test/mount/groups.test.ts", ""] },
  {
    theirs: "fuse_interrupt_func_t, fuse_req_interrupt_func",
    ours: [member("RequestContext", "onInterrupt")],
    test: ["test/mount/interrupts.test.ts", ""]
  },
  {
    theirs: "fuse_req_interrupted",
    ours: [member("RequestContext", "isInterrupted")],
    test: ["test/wire/interrupts.test.ts", ""]
  },
  {
    theirs: "fuse_forget_data",
    ours: [member("Backend", "forget")],
    note: "Its two fields are the arguments.",
    test: golden
  }
]

const sessions: ReadonlyArray<Row> = [
  {
    theirs: "fuse_session_new, fuse_lowlevel_ops",
    ours: [exported("@bickford/session", "Session"), exported("@bickford/session", "embed")],
    note: "`Session.make` over a transport, or `mount` for all of it.",
    test: embedded
  },
  {
    theirs: "fuse_session_mount",
    ours: [exported("bickford", "mount"), exported("@bickford/transport", "mountDevice")],
    test: ["test/mount/promise.test.ts", ""]
  },
  {
    theirs: "fuse_session_custom_io, fuse_custom_io",
    ours: [exported("@bickford/session", "embedFrames")],
    note: "Frames in and out as bytes. `splice_receive` and `splice_send` have no counterpart: a session whose frames the program carries does not splice; with `capabilities.spliceWrite` a range's bytes are copied into the frame.",
    test: ["test/mount/customIo.test.ts", "serve a mount from INIT to its end"]
  },
  {
    theirs: "/dev/fd/N as the mountpoint",
    ours: [exported("@bickford/session", "embed")],
    note: "`bickford mount SOURCE /dev/fd/N` serves a `/dev/fuse` that its caller has mounted; a program uses `embed`.",
    test: ["test/mount/passedDevice.test.ts", "is served until its caller unmounts it"]
  },
  {
    theirs: "fuse_session_loop",
    ours: [exported("bickford", "mount")],
    note: "The event loop serves; no call to make.",
    test: ["test/mount/promise.test.ts", ""]
  },
  {
    theirs: "fuse_session_loop_mt, fuse_loop_config",
    ours: [],
    note: "One JavaScript thread serves a mount. `mountWorker` gives a mount a thread of its own.",
    test: ["test/mount/worker.test.ts", ""]
  },
  { theirs: "fuse_session_exit", ours: [member("EmbeddedSession", "exit")], test: embedded },
  { theirs: "fuse_session_reset", ours: [member("EmbeddedSession", "reset")], test: embedded },
  { theirs: "fuse_session_exited", ours: [member("EmbeddedSession", "exited")], test: embedded },
  { theirs: "fuse_session_unmount", ours: [member("Mount", "unmount")], test: ["test/mount/waysOut.test.ts", ""] },
  {
    theirs: "fuse_session_destroy",
    ours: [],
    note: "Closing the mount's scope, or `await using`, does it.",
    test: ["test/mount/promise.test.ts", ""]
  },
  { theirs: "fuse_session_fd", ours: [member("EmbeddedSession", "fd")], test: embedded },
  { theirs: "fuse_session_receive_buf", ours: [member("EmbeddedSession", "receive")], test: embedded },
  {
    theirs: "fuse_session_process_buf",
    ours: [member("EmbeddedSession", "process"), member("FrameSession", "process")],
    test: embedded
  },
  {
    theirs: "fuse_set_signal_handlers, fuse_remove_signal_handlers",
    ours: [member("MountOptions", "unmountOnExit")],
    note: "On by default: a mount goes on SIGINT, SIGTERM and SIGHUP unless the program listens for them, on `process.exit` and on an uncaught exception. `false` leaves all of it to the program.",
    test: ["test/mount/signals.test.ts", "unmounts, and the signal ends it"]
  }
]

const commandLine: ReadonlyArray<Row> = [
  {
    theirs: "fuse_parse_cmdline, fuse_cmdline_opts",
    ours: [exported("bickford", "parseCommandLine")],
    test: ["packages/bickford/test/commandLine.test.ts", ""]
  },
  {
    theirs: "fuse_cmdline_help",
    ours: [exported("bickford", "commandLineHelp")],
    test: ["packages/bickford/test/commandLine.test.ts", ""]
  },
  {
    theirs: "fuse_lowlevel_help",
    ours: [exported("bickford", "sessionHelp")],
    test: ["packages/bickford/test/commandLine.test.ts", ""]
  },
  {
    theirs: "fuse_lowlevel_version, fuse_pkgversion",
    ours: [exported("bickford", "version")],
    test: ["packages/bickford/test/commandLine.test.ts", ""]
  }
]

/** The options of mount.fuse3(8), fuse_lowlevel_help and mount(8) that libfuse's programs take. */
const optionNames = [
  "allow_other",
  "allow_root",
  "auto_unmount",
  "default_permissions",
  "fsname",
  "subtype",
  "blkdev",
  "blksize",
  "fd",
  "rootmode",
  "user_id",
  "group_id",
  "max_read",
  "max_write",
  "max_readahead",
  "max_background",
  "congestion_threshold",
  "async_read",
  "sync_read",
  "no_remote_lock",
  "no_remote_flock",
  "no_remote_posix_lock",
  "splice_read",
  "splice_write",
  "splice_move",
  "no_splice_read",
  "no_splice_write",
  "no_splice_move",
  "clone_fd",
  "max_threads",
  "max_idle_threads",
  "debug",
  "kernel_cache",
  "auto_cache",
  "ac_attr_timeout",
  "direct_io",
  "hard_remove",
  "use_ino",
  "readdir_ino",
  "umask",
  "fmask",
  "dmask",
  "uid",
  "gid",
  "entry_timeout",
  "negative_timeout",
  "attr_timeout",
  "remember",
  "noforget",
  "intr",
  "intr_signal",
  "modules",
  "ro",
  "rw",
  "suid",
  "nosuid",
  "dev",
  "nodev",
  "exec",
  "noexec",
  "atime",
  "noatime",
  "nodiratime",
  "norelatime",
  "nostrictatime",
  "sync",
  "async",
  "dirsync",
  "symfollow",
  "nosymfollow",
  "context",
  "fscontext",
  "defcontext",
  "rootcontext"
]

const optionRow = (name: string): Row => {
  const row = optionTable[name]
  if (row === undefined) throw new Error(`-o ${name} is not in the table of options`)
  return {
    theirs: `-o ${name}`,
    ours: row.takes === "refused" ? [] : [option(name)],
    note: row.takes === "refused" ? `Refused: ${row.help}.` : `${row.help}.`,
    test: ["packages/daemon/test/mountOptions.test.ts", ""]
  }
}

const buffers: ReadonlyArray<Row> = [
  {
    theirs: "fuse_buf, fuse_bufvec",
    ours: [member("ReplyOf", "read")],
    note: "A list of `Uint8Array`s and `{ fd, offset, length }`, mixed as they come.",
    test: ranges
  },
  { theirs: "FUSE_BUF_IS_FD", ours: [member("ReplyOf", "read")], note: "A part with an `fd`.", test: ranges },
  {
    theirs: "FUSE_BUF_FD_SEEK",
    ours: [member("ReplyOf", "read")],
    note: "A part with an `offset`; without one the descriptor is read where it stands.",
    test: ranges
  },
  {
    theirs: "FUSE_BUF_FD_RETRY",
    ours: [],
    note: "A range of a file is read until it is whole or the file ends; a pipe or socket gives what it holds.",
    test: ranges
  },
  {
    theirs: "FUSE_BUF_NO_SPLICE",
    ours: [member("BackendCapabilities", "spliceWrite")],
    note: "Said once for all answers, by not declaring it (the default). Ranges of less than 32 KiB are copied in any case.",
    test: ranges
  },
  {
    theirs: "FUSE_BUF_FORCE_SPLICE",
    ours: [member("BackendCapabilities", "spliceWrite")],
    note: "Never forced: what cannot be spliced is copied, with the same answer.",
    test: spliced
  },
  {
    theirs: "FUSE_BUF_SPLICE_MOVE",
    ours: [member("BackendCapabilities", "spliceMove")],
    note: "Said once for all answers, beside `spliceWrite`.",
    test: spliced
  },
  {
    theirs: "FUSE_BUF_SPLICE_NONBLOCK",
    ours: [member("BackendCapabilities", "spliceWrite")],
    note: "Always so: a pipe or socket that holds nothing is EAGAIN.",
    test: ["test/mount/splice.test.ts", "closed descriptors and pipes are answered as they are in memory"]
  },
  {
    theirs: "fuse_buf_copy, fuse_buf_size",
    ours: [],
    note: "The session copies what an operation answered. The data of a WRITE has `length`, and `spliceTo` copies it to a file: `WriteData` of `@bickford/session`.",
    test: ["test/mount/writeBuf.test.ts", "data of any size reaches a file"]
  }
]

const capability = (theirs: string, name: Parameters<typeof member<"BackendCapabilities">>[1], note?: string): Row => ({
  theirs,
  ours: [member("BackendCapabilities", name)],
  ...(note === undefined ? {} : { note }),
  test: init
})

const capabilities: ReadonlyArray<Row> = [
  capability("FUSE_CAP_HANDLE_KILLPRIV", "handleKillpriv"),
  capability("FUSE_CAP_HANDLE_KILLPRIV_V2", "handleKillprivV2"),
  capability("FUSE_CAP_NO_OPEN_SUPPORT", "noOpen", "Declared; an `open` that is absent answers ENOSYS then."),
  capability("FUSE_CAP_NO_OPENDIR_SUPPORT", "noOpendir", "Likewise."),
  capability("FUSE_CAP_EXPORT_SUPPORT", "exportSupport"),
  capability("FUSE_CAP_EXPLICIT_INVAL_DATA", "explicitInvalData"),
  capability("FUSE_CAP_DIRECT_IO_ALLOW_MMAP", "directIoAllowMmap"),
  capability("FUSE_CAP_WRITEBACK_CACHE", "writebackCache"),
  capability("FUSE_CAP_POSIX_ACL", "posixAcl"),
  capability("FUSE_CAP_PASSTHROUGH", "passthrough"),
  {
    ...capability(
      "FUSE_CAP_SPLICE_WRITE",
      "spliceWrite",
      "READs answered from descriptors are spliced. Off unless declared: docs/performance.md has when it pays."
    ),
    test: spliced
  },
  { ...capability("FUSE_CAP_SPLICE_MOVE", "spliceMove", "With `spliceWrite`."), test: spliced },
  {
    ...capability(
      "FUSE_CAP_SPLICE_READ",
      "spliceRead",
      "The data of large WRITEs stays in a pipe for `writeBuf`. Off unless declared, as `spliceWrite`."
    ),
    test: ["test/mount/writeBuf.test.ts", "data of any size reaches a file"]
  }
]

export const libfuse: Document = {
  system: "libfuse's low-level API",
  introduction:
    "The operations have the same names in camelCase. An operation returns its answer instead of calling a reply function, so each request has exactly one reply.",
  sections: [
    { title: "Operations (`fuse_lowlevel_ops`)", rows: operations },
    { title: "Replies", rows: replies },
    { title: "Notifications", rows: notifies },
    { title: "Requests, entries and contexts", rows: requests },
    { title: "Sessions", rows: sessions },
    { title: "Data buffers", rows: buffers },
    { title: "Capabilities", rows: capabilities },
    { title: "The command line", rows: commandLine },
    { title: "Options", rows: optionNames.map(optionRow) }
  ]
}
