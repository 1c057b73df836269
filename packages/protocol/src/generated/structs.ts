// Made by packages/protocol/generator; do not edit.
/**
 * Where the fields of the protocol's structs lie: for each struct its size in bytes, then each field's offset;
 * little-endian, naturally aligned. A struct's name is the kernel's without `fuse_`, in camelCase.
 *
 * A module that uses them on a hot path takes a copy first (`const A = { ...attr }`): V8 looks an imported binding up
 * at each use, and makes a module's own constant part of the machine code.
 */

/** `struct fuse_attr`. */
export const attr = {
  bytes: 88,
  ino: 0,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84
} as const
/** `struct fuse_sx_time`. */
export const sxTime = {
  bytes: 16,
  tvSec: 0,
  tvNsec: 8,
  reserved: 12
} as const
/** `struct fuse_statx`. */
export const statx = {
  bytes: 256,
  mask: 0,
  blksize: 4,
  attributes: 8,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  spare0: 30,
  ino: 32,
  size: 40,
  blocks: 48,
  attributesMask: 56,
  atime: 64,
  btime: 80,
  ctime: 96,
  mtime: 112,
  rdevMajor: 128,
  rdevMinor: 132,
  devMajor: 136,
  devMinor: 140,
  spare2: 144
} as const
/** `struct fuse_kstatfs`. */
export const kstatfs = {
  bytes: 80,
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  padding: 52,
  spare: 56
} as const
/** `struct fuse_file_lock`. */
export const fileLock = {
  bytes: 24,
  start: 0,
  end: 8,
  type: 16,
  pid: 20
} as const
/** `struct fuse_entry_out`. */
export const entryOut = {
  bytes: 128,
  nodeid: 0,
  generation: 8,
  entryValid: 16,
  attrValid: 24,
  entryValidNsec: 32,
  attrValidNsec: 36,
  attr: 40
} as const
/** `struct fuse_forget_in`. */
export const forgetIn = {
  bytes: 8,
  nlookup: 0
} as const
/** `struct fuse_forget_one`. */
export const forgetOne = {
  bytes: 16,
  nodeid: 0,
  nlookup: 8
} as const
/** `struct fuse_batch_forget_in`. */
export const batchForgetIn = {
  bytes: 8,
  count: 0,
  dummy: 4
} as const
/** `struct fuse_getattr_in`. */
export const getattrIn = {
  bytes: 16,
  getattrFlags: 0,
  dummy: 4,
  fh: 8
} as const
/** `struct fuse_attr_out`. */
export const attrOut = {
  bytes: 104,
  attrValid: 0,
  attrValidNsec: 8,
  dummy: 12,
  attr: 16
} as const
/** `struct fuse_statx_in`. */
export const statxIn = {
  bytes: 24,
  getattrFlags: 0,
  reserved: 4,
  fh: 8,
  sxFlags: 16,
  sxMask: 20
} as const
/** `struct fuse_statx_out`. */
export const statxOut = {
  bytes: 288,
  attrValid: 0,
  attrValidNsec: 8,
  flags: 12,
  spare: 16,
  stat: 32
} as const
/** `struct fuse_mknod_in`. */
export const mknodIn = {
  bytes: 16,
  mode: 0,
  rdev: 4,
  umask: 8,
  padding: 12
} as const
/** `struct fuse_mkdir_in`. */
export const mkdirIn = {
  bytes: 8,
  mode: 0,
  umask: 4
} as const
/** `struct fuse_rename_in`. */
export const renameIn = {
  bytes: 8,
  newdir: 0
} as const
/** `struct fuse_rename2_in`. */
export const rename2In = {
  bytes: 16,
  newdir: 0,
  flags: 8,
  padding: 12
} as const
/** `struct fuse_link_in`. */
export const linkIn = {
  bytes: 8,
  oldnodeid: 0
} as const
/** `struct fuse_setattr_in`. */
export const setattrIn = {
  bytes: 88,
  valid: 0,
  padding: 4,
  fh: 8,
  size: 16,
  lockOwner: 24,
  atime: 32,
  mtime: 40,
  ctime: 48,
  atimensec: 56,
  mtimensec: 60,
  ctimensec: 64,
  mode: 68,
  unused4: 72,
  uid: 76,
  gid: 80,
  unused5: 84
} as const
/** `struct fuse_open_in`. */
export const openIn = {
  bytes: 8,
  flags: 0,
  openFlags: 4
} as const
/** `struct fuse_create_in`. */
export const createIn = {
  bytes: 16,
  flags: 0,
  mode: 4,
  umask: 8,
  openFlags: 12
} as const
/** `struct fuse_open_out`. */
export const openOut = {
  bytes: 16,
  fh: 0,
  openFlags: 8,
  backingId: 12
} as const
/** `struct fuse_release_in`. */
export const releaseIn = {
  bytes: 24,
  fh: 0,
  flags: 8,
  releaseFlags: 12,
  lockOwner: 16
} as const
/** `struct fuse_flush_in`. */
export const flushIn = {
  bytes: 24,
  fh: 0,
  unused: 8,
  padding: 12,
  lockOwner: 16
} as const
/** `struct fuse_read_in`. */
export const readIn = {
  bytes: 40,
  fh: 0,
  offset: 8,
  size: 16,
  readFlags: 20,
  lockOwner: 24,
  flags: 32,
  padding: 36
} as const
/** `struct fuse_write_in`. */
export const writeIn = {
  bytes: 40,
  fh: 0,
  offset: 8,
  size: 16,
  writeFlags: 20,
  lockOwner: 24,
  flags: 32,
  padding: 36
} as const
/** `struct fuse_write_out`. */
export const writeOut = {
  bytes: 8,
  size: 0,
  padding: 4
} as const
/** `struct fuse_statfs_out`. */
export const statfsOut = {
  bytes: 80,
  st: 0
} as const
/** `struct fuse_fsync_in`. */
export const fsyncIn = {
  bytes: 16,
  fh: 0,
  fsyncFlags: 8,
  padding: 12
} as const
/** `struct fuse_setxattr_in`. */
export const setxattrIn = {
  bytes: 16,
  size: 0,
  flags: 4,
  setxattrFlags: 8,
  padding: 12
} as const
/** `struct fuse_getxattr_in`. */
export const getxattrIn = {
  bytes: 8,
  size: 0,
  padding: 4
} as const
/** `struct fuse_getxattr_out`. */
export const getxattrOut = {
  bytes: 8,
  size: 0,
  padding: 4
} as const
/** `struct fuse_lk_in`. */
export const lkIn = {
  bytes: 48,
  fh: 0,
  owner: 8,
  lk: 16,
  lkFlags: 40,
  padding: 44
} as const
/** `struct fuse_lk_out`. */
export const lkOut = {
  bytes: 24,
  lk: 0
} as const
/** `struct fuse_access_in`. */
export const accessIn = {
  bytes: 8,
  mask: 0,
  padding: 4
} as const
/** `struct fuse_init_in`. */
export const initIn = {
  bytes: 64,
  major: 0,
  minor: 4,
  maxReadahead: 8,
  flags: 12,
  flags2: 16,
  unused: 20
} as const
/** `struct fuse_init_out`. */
export const initOut = {
  bytes: 64,
  major: 0,
  minor: 4,
  maxReadahead: 8,
  flags: 12,
  maxBackground: 16,
  congestionThreshold: 18,
  maxWrite: 20,
  timeGran: 24,
  maxPages: 28,
  mapAlignment: 30,
  flags2: 32,
  maxStackDepth: 36,
  requestTimeout: 40,
  unused: 42
} as const
/** `struct cuse_init_in`. */
export const cuseInitIn = {
  bytes: 16,
  major: 0,
  minor: 4,
  unused: 8,
  flags: 12
} as const
/** `struct cuse_init_out`. */
export const cuseInitOut = {
  bytes: 72,
  major: 0,
  minor: 4,
  unused: 8,
  flags: 12,
  maxRead: 16,
  maxWrite: 20,
  devMajor: 24,
  devMinor: 28,
  spare: 32
} as const
/** `struct fuse_interrupt_in`. */
export const interruptIn = {
  bytes: 8,
  unique: 0
} as const
/** `struct fuse_bmap_in`. */
export const bmapIn = {
  bytes: 16,
  block: 0,
  blocksize: 8,
  padding: 12
} as const
/** `struct fuse_bmap_out`. */
export const bmapOut = {
  bytes: 8,
  block: 0
} as const
/** `struct fuse_ioctl_in`. */
export const ioctlIn = {
  bytes: 32,
  fh: 0,
  flags: 8,
  cmd: 12,
  arg: 16,
  inSize: 24,
  outSize: 28
} as const
/** `struct fuse_ioctl_iovec`. */
export const ioctlIovec = {
  bytes: 16,
  base: 0,
  len: 8
} as const
/** `struct fuse_ioctl_out`. */
export const ioctlOut = {
  bytes: 16,
  result: 0,
  flags: 4,
  inIovs: 8,
  outIovs: 12
} as const
/** `struct fuse_poll_in`. */
export const pollIn = {
  bytes: 24,
  fh: 0,
  kh: 8,
  flags: 16,
  events: 20
} as const
/** `struct fuse_poll_out`. */
export const pollOut = {
  bytes: 8,
  revents: 0,
  padding: 4
} as const
/** `struct fuse_notify_poll_wakeup_out`. */
export const notifyPollWakeupOut = {
  bytes: 8,
  kh: 0
} as const
/** `struct fuse_fallocate_in`. */
export const fallocateIn = {
  bytes: 32,
  fh: 0,
  offset: 8,
  length: 16,
  mode: 24,
  padding: 28
} as const
/** `struct fuse_in_header`. */
export const inHeader = {
  bytes: 40,
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  totalExtlen: 36,
  padding: 38
} as const
/** `struct fuse_out_header`. */
export const outHeader = {
  bytes: 16,
  len: 0,
  error: 4,
  unique: 8
} as const
/** `struct fuse_dirent`. */
export const dirent = {
  bytes: 24,
  ino: 0,
  off: 8,
  namelen: 16,
  type: 20,
  name: 24
} as const
/** `struct fuse_direntplus`. */
export const direntplus = {
  bytes: 152,
  entryOut: 0,
  dirent: 128
} as const
/** `struct fuse_notify_inval_inode_out`. */
export const notifyInvalInodeOut = {
  bytes: 24,
  ino: 0,
  off: 8,
  len: 16
} as const
/** `struct fuse_notify_inval_entry_out`. */
export const notifyInvalEntryOut = {
  bytes: 16,
  parent: 0,
  namelen: 8,
  flags: 12
} as const
/** `struct fuse_notify_delete_out`. */
export const notifyDeleteOut = {
  bytes: 24,
  parent: 0,
  child: 8,
  namelen: 16,
  padding: 20
} as const
/** `struct fuse_notify_store_out`. */
export const notifyStoreOut = {
  bytes: 24,
  nodeid: 0,
  offset: 8,
  size: 16,
  padding: 20
} as const
/** `struct fuse_notify_retrieve_out`. */
export const notifyRetrieveOut = {
  bytes: 32,
  notifyUnique: 0,
  nodeid: 8,
  offset: 16,
  size: 24,
  padding: 28
} as const
/** `struct fuse_notify_retrieve_in`. */
export const notifyRetrieveIn = {
  bytes: 40,
  dummy1: 0,
  offset: 8,
  size: 16,
  dummy2: 20,
  dummy3: 24,
  dummy4: 32
} as const
/** `struct fuse_notify_prune_out`. */
export const notifyPruneOut = {
  bytes: 16,
  count: 0,
  padding: 4,
  spare: 8
} as const
/** `struct fuse_backing_map`. */
export const backingMap = {
  bytes: 16,
  fd: 0,
  flags: 4,
  padding: 8
} as const
/** `struct fuse_lseek_in`. */
export const lseekIn = {
  bytes: 24,
  fh: 0,
  offset: 8,
  whence: 16,
  padding: 20
} as const
/** `struct fuse_lseek_out`. */
export const lseekOut = {
  bytes: 8,
  offset: 0
} as const
/** `struct fuse_copy_file_range_in`. */
export const copyFileRangeIn = {
  bytes: 56,
  fhIn: 0,
  offIn: 8,
  nodeidOut: 16,
  fhOut: 24,
  offOut: 32,
  len: 40,
  flags: 48
} as const
/** `struct fuse_copy_file_range_out`. */
export const copyFileRangeOut = {
  bytes: 8,
  bytesCopied: 0
} as const
/** `struct fuse_setupmapping_in`. */
export const setupmappingIn = {
  bytes: 40,
  fh: 0,
  foffset: 8,
  len: 16,
  flags: 24,
  moffset: 32
} as const
/** `struct fuse_removemapping_in`. */
export const removemappingIn = {
  bytes: 4,
  count: 0
} as const
/** `struct fuse_removemapping_one`. */
export const removemappingOne = {
  bytes: 16,
  moffset: 0,
  len: 8
} as const
/** `struct fuse_syncfs_in`. */
export const syncfsIn = {
  bytes: 8,
  padding: 0
} as const
/** `struct fuse_secctx`. */
export const secctx = {
  bytes: 8,
  size: 0,
  padding: 4
} as const
/** `struct fuse_secctx_header`. */
export const secctxHeader = {
  bytes: 8,
  size: 0,
  nrSecctx: 4
} as const
/** `struct fuse_ext_header`. */
export const extHeader = {
  bytes: 8,
  size: 0,
  type: 4
} as const
/** `struct fuse_supp_groups`. */
export const suppGroups = {
  bytes: 4,
  nrGroups: 0,
  groups: 4
} as const
/** `struct fuse_uring_ent_in_out`. */
export const uringEntInOut = {
  bytes: 32,
  flags: 0,
  commitId: 8,
  payloadSz: 16,
  padding: 20,
  reserved: 24
} as const
/** `struct fuse_uring_req_header`. */
export const uringReqHeader = {
  bytes: 288,
  inOut: 0,
  opIn: 128,
  ringEntInOut: 256
} as const
/** `struct fuse_uring_cmd_req`. */
export const uringCmdReq = {
  bytes: 24,
  flags: 0,
  commitId: 8,
  qid: 16,
  padding: 18
} as const
