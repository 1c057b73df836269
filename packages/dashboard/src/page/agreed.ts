/** What INIT has agreed on, in words. */

/** Its fields by name. */
export interface Agreed {
  readonly [field: string]: unknown
}

const mebibytes = (value: unknown): string => `${(Number(value) / 1024 ** 2).toFixed(2)} MiB`

/** Of a field that is a number, where it says something. */
const numbers: { readonly [field: string]: (value: unknown, all: Agreed) => readonly [string, string] | undefined } = {
  minor: (value, { major }) => ["Protocol", `FUSE ${String(major)}.${String(value)}`],
  maxWrite: (value) => ["Longest write", mebibytes(value)],
  maxPages: (value) => ["Longest request", mebibytes(Number(value) * 4096)],
  maxReadahead: (value) => ["Read ahead", mebibytes(value)],
  maxBackground: (value, { congestionThreshold }) => [
    "In the background",
    `${String(value)} requests at once; congested from ${String(congestionThreshold)}`
  ],
  timeGran: (value) => ["Times are exact to", `${String(value)} ns`],
  requestTimeout: (value) => [
    "Request timeout",
    value === 0 ? "none" : `${String(value)} s, then the kernel aborts the connection`
  ]
}

/** Of a field that is true or false: what holds when it is true, and when it is not. */
const switches: { readonly [field: string]: readonly [term: string, on: string, off: string] } = {
  writebackCache: ["Writes", "cached, and written back later", "written through"],
  passthrough: ["Passthrough", "files may be read and written past the worker", "no"],
  overIoUring: ["Transport", "io_uring", "/dev/fuse"],
  resend: ["After a crash", "calls are delivered again to the next worker", "calls in flight are lost"],
  readdirplus: ["Listings", "with attributes", "names alone"],
  readdirplusAuto: ["Attributes in listings", "when the caller seems to want them", "always, if at all"],
  parallelDirops: ["Calls in one directory", "at the same time", "one after the other"],
  asyncRead: ["Reads of one file", "at the same time", "one after the other"],
  noOpen: ["OPEN", "not asked for", "asked for"],
  noOpendir: ["OPENDIR", "not asked for", "asked for"],
  atomicOTrunc: ["O_TRUNC", "is OPEN's", "is a SETATTR before"],
  cacheSymlinks: ["Targets of symbolic links", "cached", "asked for each time"],
  explicitInvalData: ["Pages", "dropped when the filesystem says so", "dropped when size or time have changed"],
  directIoAllowMmap: ["mmap of files with direct I/O", "allowed", "refused"],
  posixLocks: ["fcntl locks", "the filesystem's", "the kernel's own"],
  flockLocks: ["flock", "the filesystem's", "the kernel's own"],
  posixAcl: ["POSIX ACLs", "enforced", "no"],
  dontMask: ["The umask", "the filesystem's to apply", "applied by the kernel"],
  handleKillpriv: ["set-user-ID bits (version 1)", "cleared by the filesystem", "cleared by the kernel"],
  handleKillprivV2: ["set-user-ID bits", "cleared by the filesystem", "cleared by the kernel"],
  createSuppGroup: ["New files' group", "may be a supplementary one", "is the caller's first"],
  allowIdmap: ["Idmapped mounts", "allowed", "refused"],
  exportSupport: ["File handles (NFS)", "outlive what the kernel forgets", "hold while the kernel knows the node"],
  setxattrExt: ["setxattr", "says whether to clear set-group-ID", "does not say whether to clear set-group-ID"],
  expireOnly: ["Names", "can be expired without being dropped", "can only be dropped"],
  securityCtx: ["Security contexts", "come with creations", "do not come with creations"],
  abortError: ["After an abort", "calls fail with ECONNABORTED", "calls fail with ENOTCONN"],
  spliceWrite: ["Answers to large reads", "spliced from descriptors", "copied"],
  spliceMove: ["Spliced pages", "moved where they can be", "copied"],
  spliceRead: ["Data of large writes", "left in pipes", "read into memory"]
}

/** Fields that are told with another one, or tell a reader nothing. */
export const silent: ReadonlySet<string> = new Set([
  "major",
  "flags",
  "flags2",
  "congestionThreshold",
  "maxStackDepth",
  "mapAlignment"
])

/** Each field's term, and what it means here. A field that nobody knows is shown as it is. */
export const agreed = (fields: Agreed): ReadonlyArray<readonly [term: string, text: string]> =>
  Object.entries(fields).flatMap(([field, value]) => {
    if (silent.has(field)) return []
    const asNumber = Object.hasOwn(numbers, field) ? numbers[field]?.(value, fields) : undefined
    if (asNumber !== undefined) return [asNumber]
    const [term = field, on = "yes", off = "no"] = (Object.hasOwn(switches, field) ? switches[field] : undefined) ?? []
    return [[term, typeof value === "boolean" ? (value ? on : off) : JSON.stringify(value)] as const]
  })
