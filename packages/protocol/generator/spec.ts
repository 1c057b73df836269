/**
 * The messages, field by field: which fields of which struct a message has, under which names, and what follows the
 * struct. Offsets, sizes and signs come from the recorded ABI; a struct's field that is named nowhere must be filler.
 */

/** One field of a message, made of one or two fields of its struct. */
export interface Field {
  readonly kind: "plain" | "time" | "duration" | "record"
  /** In the message. */
  readonly name: string
  /** In the struct. */
  readonly wire: string
  /** Of a time or duration that is in two fields: its nanoseconds. */
  readonly nsec?: string
  /** Of a record: which one. */
  readonly record?: string
  readonly doc?: string
  /** Values that a backend may give, where they are fewer than the bytes hold. */
  readonly domain?: "offset" | "mode"
  /** Absent when it is 0. */
  readonly optional?: true
}

/** What follows a request's struct. */
export type Part =
  | { readonly part: "name"; readonly name: string; readonly field?: string; readonly doc?: string }
  | {
      readonly part: "path"
      readonly name: string
      readonly field?: string
      readonly what: string
      readonly doc?: string
    }
  /** As many bytes as the struct's field `size` says; `implied` when the message does not repeat it. */
  | {
      readonly part: "data"
      readonly name: string
      readonly size: string
      readonly implied?: true
      readonly doc?: string
    }
  /** As many structs as the struct's field `count` says. */
  | {
      readonly part: "records"
      readonly name: string
      readonly struct: string
      readonly count: string
      readonly what: string
      readonly fields: ReadonlyArray<Field>
    }

/** A struct that was shorter once. */
interface Compat {
  /** Bytes it had. */
  readonly bytes: number
  /** True in an encoder, and (`by: "version"`) in a decoder, when it is whole. */
  readonly whole: string
  /** What tells a decoder: the version agreed on, or how long the frame is. */
  readonly by: "version" | "frame"
}

/** What is known of an opcode, and how its request lies in a frame. */
export interface RequestSpec {
  /** The operation; RENAME2 and COPY_FILE_RANGE_64 share their elders'. */
  readonly op: string
  /** Minor version of protocol 7 in which the opcode appeared. */
  readonly since: number
  /**
   * Once answered ENOSYS the kernel asks no more, and does without it what the operation's `whenAbsent` says: all that
   * know the opcode, or those of this minor version of protocol 7 and later.
   */
  readonly enosysIsSticky?: true | number
  /** False: never seen from a real kernel. */
  readonly tested?: false
  readonly struct?: string
  readonly fields?: ReadonlyArray<Field>
  readonly parts?: ReadonlyArray<Part>
  /** Header extensions may follow. */
  readonly extended?: true
  readonly compat?: Compat
  /** Fields of the message that the opcode itself tells. */
  readonly constants?: Readonly<Record<string, string>>
  readonly doc?: string
}

const camel = (wire: string): string => wire.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const f = (wire: string, doc?: string): Field => ({
  kind: "plain",
  name: camel(wire),
  wire,
  ...(doc === undefined ? undefined : { doc })
})
const as = (name: string, wire: string, doc?: string): Field => ({ ...f(wire, doc), name })
const time = (name: string): Field => ({ kind: "time", name, wire: name, nsec: `${name}nsec` })
const duration = (wire: string, doc: string): Field => ({
  kind: "duration",
  name: camel(wire),
  wire,
  nsec: `${wire}_nsec`,
  doc
})
const record = (wire: string, of: string): Field => ({ kind: "record", name: camel(wire), wire, record: of })
const name = { part: "name", name: "name", doc: "In the directory `nodeid`." } as const
const attributeName: Part = {
  part: "path",
  name: "name",
  what: "an attribute's name",
  doc: "With its namespace, as `user.`."
}

/** What fields mean that several messages have. */
export const commonDocs: Readonly<Record<string, string>> = {
  fh: "The handle that OPEN, OPENDIR or CREATE answered.",
  lock_owner: "Whose POSIX locks it is about; opaque.",
  nodeid: "The node's id.",
  umask: "The caller's; the kernel has applied it to `mode` unless FUSE_DONT_MASK was agreed on.",
  getattr_flags: "FUSE_GETATTR_*: whether `fh` is one.",
  open_flags: "FUSE_OPEN_*.",
  fsync_flags: "FUSE_FSYNC_*: data alone, or attributes too.",
  release_flags: "FUSE_RELEASE_*."
}

const opening = { struct: "open_in", fields: [f("flags", "open(2) flags with the kernel's values."), f("open_flags")] }
const reading = (offset: string) => ({
  struct: "read_in",
  fields: [
    f("fh"),
    f("offset", offset),
    f("size", "Bytes asked for."),
    f("read_flags", "FUSE_READ_*."),
    f("lock_owner"),
    f("flags", "open(2) flags of the file.")
  ]
})
const cookie = "The cookie to go on from: 0, or a `Dirent.off` given before."
const releasing = {
  struct: "release_in",
  fields: [f("fh"), f("flags", "open(2) flags of the file."), f("release_flags"), f("lock_owner")]
}
const fsyncing = { struct: "fsync_in", fields: [f("fh"), f("fsync_flags")] }
const locking = {
  struct: "lk_in",
  fields: [
    f("fh"),
    f("owner", "Whose lock it is; opaque."),
    record("lk", "fileLock"),
    f("lk_flags", "FUSE_LK_FLOCK when it is flock(2).")
  ]
}
const creating = {
  struct: "create_in",
  fields: [f("flags", "open(2) flags with the kernel's values."), f("mode"), f("umask"), f("open_flags")]
}
const copying = {
  op: "copyFileRange",
  struct: "copy_file_range_in",
  fields: [f("fh_in"), f("off_in"), f("nodeid_out"), f("fh_out"), f("off_out"), f("len", "Bytes."), f("flags")],
  doc: "COPY_FILE_RANGE and COPY_FILE_RANGE_64 alike; `wide` tells which reply is owed."
}

/** Every opcode by its name, without `FUSE_`. */
export const requests: Readonly<Record<string, RequestSpec>> = {
  LOOKUP: { op: "lookup", since: 1, parts: [name] },
  FORGET: {
    op: "forget",
    since: 1,
    struct: "forget_in",
    fields: [f("nlookup", "Lookups to take from the node's count.")]
  },
  GETATTR: { op: "getattr", since: 1, struct: "getattr_in", fields: [f("fh"), f("getattr_flags")] },
  SETATTR: {
    op: "setattr",
    since: 1,
    struct: "setattr_in",
    fields: [
      f("fh"),
      f("valid", "FATTR_*: which of the fields below are to be applied."),
      f("size"),
      f("lock_owner"),
      time("atime"),
      time("mtime"),
      time("ctime"),
      f("mode"),
      as("newUid", "uid"),
      as("newGid", "gid")
    ]
  },
  READLINK: { op: "readlink", since: 1 },
  SYMLINK: { op: "symlink", since: 1, parts: [name, { part: "path", name: "target", what: "target" }], extended: true },
  MKNOD: {
    op: "mknod",
    since: 1,
    struct: "mknod_in",
    fields: [f("mode"), f("rdev", "The device's number, of a device node."), f("umask")],
    parts: [name],
    extended: true
  },
  MKDIR: { op: "mkdir", since: 1, struct: "mkdir_in", fields: [f("mode"), f("umask")], parts: [name], extended: true },
  UNLINK: { op: "unlink", since: 1, parts: [name] },
  RMDIR: { op: "rmdir", since: 1, parts: [name] },
  RENAME: {
    op: "rename",
    since: 1,
    struct: "rename_in",
    fields: [f("newdir")],
    constants: { flags: "0" },
    parts: [
      { ...name, field: "oldname" },
      { part: "name", name: "newname" }
    ]
  },
  LINK: {
    op: "link",
    since: 1,
    enosysIsSticky: 45,
    struct: "link_in",
    fields: [f("oldnodeid")],
    parts: [{ part: "name", name: "newname" }],
    doc: "`nodeid` is the directory of the new name."
  },
  // ENOSYS: Linux 3.15 for OPEN, 5.1 for OPENDIR.
  OPEN: { op: "open", since: 1, enosysIsSticky: 23, ...opening },
  READ: { op: "read", since: 1, ...reading("Bytes from the file's start.") },
  WRITE: {
    op: "write",
    since: 1,
    struct: "write_in",
    fields: [
      f("fh"),
      f("offset", "Bytes from the file's start."),
      f("size", "Bytes of `data`."),
      f("write_flags", "FUSE_WRITE_*."),
      f("lock_owner"),
      f("flags", "open(2) flags of the file.")
    ],
    parts: [
      {
        part: "data",
        name: "data",
        size: "size",
        doc: "A view into the request's slot, valid until the operation's Effect ends."
      }
    ]
  },
  STATFS: { op: "statfs", since: 1 },
  RELEASE: { op: "release", since: 1, ...releasing },
  FSYNC: { op: "fsync", since: 1, enosysIsSticky: true, ...fsyncing },
  SETXATTR: {
    op: "setxattr",
    since: 1,
    enosysIsSticky: true,
    struct: "setxattr_in",
    compat: { bytes: 8, whole: "version?.setxattrExt === true", by: "version" },
    fields: [f("flags", "XATTR_CREATE, XATTR_REPLACE."), f("setxattr_flags", "FUSE_SETXATTR_*.")],
    parts: [attributeName, { part: "data", name: "value", size: "size", implied: true }]
  },
  GETXATTR: {
    op: "getxattr",
    since: 1,
    enosysIsSticky: true,
    struct: "getxattr_in",
    fields: [f("size", "Bytes there is room for; 0 asks for the size only.")],
    parts: [attributeName]
  },
  LISTXATTR: {
    op: "listxattr",
    since: 1,
    enosysIsSticky: true,
    struct: "getxattr_in",
    fields: [f("size", "Bytes there is room for; 0 asks for the size only.")]
  },
  REMOVEXATTR: { op: "removexattr", since: 1, enosysIsSticky: true, parts: [attributeName] },
  FLUSH: { op: "flush", since: 1, enosysIsSticky: true, struct: "flush_in", fields: [f("fh"), f("lock_owner")] },
  INIT: {
    op: "init",
    since: 1,
    struct: "init_in",
    compat: { bytes: 16, whole: "request.minor >= 36", by: "frame" },
    fields: [
      f("major"),
      f("minor"),
      f("max_readahead", "Bytes."),
      f("flags", "FUSE_INIT flags: bits 0 to 31."),
      f("flags2", "Bits 32 to 63.")
    ]
  },
  OPENDIR: { op: "opendir", since: 1, enosysIsSticky: 29, ...opening },
  READDIR: { op: "readdir", since: 1, ...reading(cookie) },
  RELEASEDIR: { op: "releasedir", since: 1, ...releasing },
  FSYNCDIR: { op: "fsyncdir", since: 2, enosysIsSticky: true, ...fsyncing },
  GETLK: { op: "getlk", since: 7, ...locking },
  SETLK: { op: "setlk", since: 7, ...locking },
  SETLKW: { op: "setlkw", since: 7, ...locking, doc: "Blocks until granted or interrupted." },
  ACCESS: {
    op: "access",
    since: 3,
    enosysIsSticky: true,
    struct: "access_in",
    fields: [f("mask", "access(2): R_OK, W_OK, X_OK.")]
  },
  CREATE: { op: "create", since: 3, enosysIsSticky: true, ...creating, parts: [name], extended: true },
  INTERRUPT: {
    op: "interrupt",
    since: 7,
    enosysIsSticky: true,
    struct: "interrupt_in",
    fields: [as("target", "unique", "Of the request to be interrupted.")]
  },
  BMAP: {
    op: "bmap",
    since: 8,
    enosysIsSticky: true,
    struct: "bmap_in",
    fields: [f("block"), f("blocksize", "Bytes.")]
  },
  DESTROY: { op: "destroy", since: 8 },
  IOCTL: {
    op: "ioctl",
    since: 11,
    struct: "ioctl_in",
    fields: [
      f("fh"),
      f("flags", "FUSE_IOCTL_*."),
      f("cmd"),
      f("arg", "The caller's pointer, or number."),
      f("in_size", "Bytes of `data`."),
      f("out_size", "Bytes there is room for.")
    ],
    parts: [{ part: "data", name: "data", size: "in_size" }]
  },
  POLL: {
    op: "poll",
    since: 11,
    enosysIsSticky: true,
    struct: "poll_in",
    fields: [
      f("fh"),
      f("kh", "Names this wait in a later FUSE_NOTIFY_POLL."),
      f("flags", "FUSE_POLL_*."),
      f("events", "POLL* asked for; 0 before 7.21.")
    ]
  },
  NOTIFY_REPLY: {
    op: "notifyReply",
    since: 15,
    struct: "notify_retrieve_in",
    fields: [f("offset"), f("size", "Bytes of `data`.")],
    parts: [{ part: "data", name: "data", size: "size" }],
    doc: "What a RETRIEVE asked for; the header's `unique` is its `notifyUnique`."
  },
  BATCH_FORGET: {
    op: "batchForget",
    since: 16,
    struct: "batch_forget_in",
    parts: [
      {
        part: "records",
        name: "forgets",
        struct: "forget_one",
        count: "count",
        what: "nodes",
        fields: [f("nodeid"), f("nlookup")]
      }
    ]
  },
  FALLOCATE: {
    op: "fallocate",
    since: 19,
    enosysIsSticky: true,
    struct: "fallocate_in",
    fields: [f("fh"), f("offset"), f("length"), f("mode", "FALLOC_FL_*.")]
  },
  READDIRPLUS: { op: "readdirplus", since: 21, ...reading(cookie) },
  RENAME2: {
    op: "rename",
    since: 23,
    enosysIsSticky: true,
    struct: "rename2_in",
    fields: [f("newdir", "Directory of the new name."), f("flags", "RENAME_*.")],
    parts: [
      { ...name, field: "oldname" },
      { part: "name", name: "newname" }
    ],
    doc: "RENAME and RENAME2 alike; `flags` is 0 for the former."
  },
  LSEEK: {
    op: "lseek",
    since: 24,
    enosysIsSticky: true,
    struct: "lseek_in",
    fields: [f("fh"), f("offset"), f("whence", "SEEK_DATA or SEEK_HOLE; the kernel does the others.")]
  },
  COPY_FILE_RANGE: { ...copying, since: 28, enosysIsSticky: true, constants: { wide: "false" } },
  SETUPMAPPING: {
    op: "setupmapping",
    since: 31,
    tested: false,
    struct: "setupmapping_in",
    fields: [f("fh"), f("foffset"), f("len"), f("flags"), f("moffset")]
  },
  REMOVEMAPPING: {
    op: "removemapping",
    since: 31,
    tested: false,
    struct: "removemapping_in",
    parts: [
      {
        part: "records",
        name: "mappings",
        struct: "removemapping_one",
        count: "count",
        what: "mappings",
        fields: [f("moffset"), f("len")]
      }
    ]
  },
  SYNCFS: { op: "syncfs", since: 34, enosysIsSticky: true, struct: "syncfs_in" },
  TMPFILE: {
    op: "tmpfile",
    since: 37,
    enosysIsSticky: true,
    ...creating,
    parts: [{ part: "path", name: "name", what: "name", doc: "The kernel says `/`." }],
    extended: true
  },
  STATX: {
    op: "statx",
    since: 39,
    enosysIsSticky: true,
    struct: "statx_in",
    fields: [
      f("fh"),
      f("getattr_flags"),
      f("sx_flags", "statx(2) flags: AT_STATX_*."),
      f("sx_mask", "STATX_*: what is asked for.")
    ]
  },
  COPY_FILE_RANGE_64: { ...copying, since: 45, enosysIsSticky: true, constants: { wide: "true" } }
}

/** A struct of replies as a plain object. */
export interface RecordSpec {
  /** The object's type. */
  readonly type: string
  readonly struct: string
  readonly fields: ReadonlyArray<Field>
  /** Written by words of 32 bits, checked in one look: what nearly every reply has in it. */
  readonly words?: true
  /** Only within others. */
  readonly inner?: true
  readonly doc?: string
}

const off = (wire: string, doc?: string): Field => ({ ...f(wire, doc), domain: "offset" })
const sx = (name: string): Field => ({ kind: "time", name, wire: name })

/** In the order in which they need each other. */
export const records: Readonly<Record<string, RecordSpec>> = {
  attr: {
    type: "Attr",
    inner: true,
    struct: "attr",
    words: true,
    fields: [
      f("ino"),
      off("size"),
      f("blocks", "512-byte units."),
      time("atime"),
      time("mtime"),
      time("ctime"),
      { ...f("mode", "File type and permission bits, as in stat(2)."), domain: "mode" },
      f("nlink"),
      f("uid"),
      f("gid"),
      f("rdev", "The device's number, of a device node."),
      f("blksize"),
      f("flags", "FUSE_ATTR_*.")
    ]
  },
  entry: {
    type: "Entry",
    struct: "entry_out",
    words: true,
    doc: '`nodeid` 0 in a LOOKUP reply says "no such name", cached for `entryValid`.',
    fields: [
      f("nodeid"),
      f("generation", "Changes when a node id is used again for another file."),
      duration("entry_valid", "How long the kernel may trust the name."),
      duration("attr_valid", "How long the kernel may trust the attributes."),
      record("attr", "attr")
    ]
  },
  attrReply: {
    type: "AttrReply",
    struct: "attr_out",
    words: true,
    fields: [duration("attr_valid", "How long the kernel may trust the attributes."), record("attr", "attr")]
  },
  open: {
    type: "Open",
    struct: "open_out",
    fields: [
      f("fh", "Given to each operation on the open file, and to RELEASE."),
      f("open_flags", "FOPEN_*."),
      { ...f("backing_id", "From FUSE_DEV_IOC_BACKING_OPEN, with FOPEN_PASSTHROUGH."), optional: true }
    ]
  },
  fileLock: {
    type: "FileLock",
    struct: "file_lock",
    fields: [
      off("start"),
      off("end", 'Inclusive; 2^63-1 for "to the end".'),
      f("type", "F_RDLCK, F_WRLCK or F_UNLCK."),
      f("pid", "Who holds it, for the caller to see.")
    ]
  },
  statfs: {
    type: "Statfs",
    struct: "kstatfs",
    fields: [
      f("blocks", "In units of `frsize`, as are `bfree` and `bavail`."),
      f("bfree"),
      f("bavail", "For callers without privileges."),
      f("files", "Inodes."),
      f("ffree"),
      f("bsize"),
      f("namelen"),
      f("frsize")
    ]
  },
  statx: {
    type: "Statx",
    inner: true,
    struct: "statx",
    fields: [
      f("mask", "STATX_*: which fields are true."),
      f("blksize"),
      f("attributes", "STATX_ATTR_*."),
      f("nlink"),
      f("uid"),
      f("gid"),
      { ...f("mode"), domain: "mode" },
      f("ino"),
      off("size"),
      f("blocks"),
      f("attributes_mask", "Which of `attributes` the filesystem knows."),
      sx("atime"),
      sx("btime"),
      sx("ctime"),
      sx("mtime"),
      f("rdev_major"),
      f("rdev_minor"),
      f("dev_major"),
      f("dev_minor")
    ]
  },
  statxReply: {
    type: "StatxReply",
    struct: "statx_out",
    fields: [
      duration("attr_valid", "How long the kernel may trust the attributes."),
      f("flags"),
      record("stat", "statx")
    ]
  },
  initReply: {
    type: "InitReply",
    struct: "init_out",
    fields: [
      f("major"),
      f("minor"),
      f("max_readahead", "Bytes."),
      f("flags"),
      f("max_background", "Requests."),
      f("congestion_threshold", "Requests."),
      f("max_write", "Bytes."),
      f("time_gran", "Nanoseconds."),
      f("max_pages"),
      f("map_alignment"),
      f("flags2"),
      f("max_stack_depth"),
      f("request_timeout", "Seconds; 0 for none.")
    ]
  },
  ioctlIovec: {
    type: "IoctlIovec",
    struct: "ioctl_iovec",
    fields: [f("base", "Address in the caller's memory."), f("len", "Bytes.")]
  },
  ioctlHead: {
    type: "IoctlHead",
    struct: "ioctl_out",
    fields: [f("result"), f("flags", "FUSE_IOCTL_*."), f("in_iovs"), f("out_iovs")]
  }
}
