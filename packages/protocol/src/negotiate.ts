/** What INIT agrees on: a pure function of the kernel's offer, the session's options and the backend. */
import { initFlagBits, protocolVersion } from "./constants.ts"
import {
  type Agreement,
  type BackendCapabilities,
  hasFlag,
  type InitBackend,
  type InitError,
  type InitFlagName,
  type InitOptions,
  type Negotiated,
  type RefusedFlag
} from "./init.ts"
import type { InitReply, InitRequest } from "./messages.ts"

const pageSize = 4096
/** What `fs.fuse.max_pages_limit` can be raised to: a reply has 16 bits for it. */
const mostPages = 65535
/** `FUSE_DEFAULT_MAX_PAGES_PER_REQ`: what a kernel without FUSE_MAX_PAGES uses. */
const defaultPages = 32
/** Room in a frame for the header, the struct and a name. */
const frameRoom = 4096

const initError = (reason: "major" | "minor", message: string): InitError => ({ _tag: "InitError", reason, message })

const optionError = (option: string, message: string): InitError => ({
  _tag: "InitError",
  reason: "option",
  option,
  message
})

/** Undefined when `value` is a whole number of that range. */
const outside = (name: string, value: number, least: number, most: number): InitError | undefined =>
  Number.isInteger(value) && value >= least && value <= most
    ? undefined
    : optionError(name, `${name} is ${value}; it must be a whole number from ${least} to ${most}`)

const oneMiB = 1 << 20
/** What mounting sets where it may. */
const defaultReadahead = 384 << 10

/** The numbers that the options give, with their defaults. */
const numbersOf = (options: InitOptions) => {
  const maxBackground = options.maxBackground ?? 64
  return {
    maxBackground,
    congestionThreshold: options.congestionThreshold ?? Math.max(1, Math.floor((maxBackground * 3) / 4)),
    timeGran: options.timeGranularity ?? 1,
    requestTimeout: options.requestTimeout ?? 0,
    maxStackDepth: options.maxStackDepth ?? 1,
    maxWrite: options.maxWrite ?? oneMiB,
    frameCapacity: options.frameCapacity ?? mostPages * pageSize + frameRoom
  }
}

type Numbers = ReturnType<typeof numbersOf>

/** Returns what is wrong with a number; undefined when nothing is. */
const wrongNumber = (numbers: Numbers, maxReadahead: number): InitError | undefined =>
  outside("maxWrite", numbers.maxWrite, pageSize, mostPages * pageSize) ??
  outside("maxReadahead", maxReadahead, 0, 0xffffffff) ??
  outside("maxBackground", numbers.maxBackground, 1, 0xffff) ??
  outside("congestionThreshold", numbers.congestionThreshold, 1, 0xffff) ??
  outside("timeGranularity", numbers.timeGran, 1, 1_000_000_000) ??
  outside("requestTimeout", numbers.requestTimeout, 0, 0xffff) ??
  outside("maxStackDepth", numbers.maxStackDepth, 1, 2) ??
  outside("frameCapacity", numbers.frameCapacity, 2 * pageSize, Number.MAX_SAFE_INTEGER)

/**
 * What a backend declares that cannot be had together: the kernel takes no passthrough file from a connection that caches
 * writes. Whatever this kernel offers, so that a mount is refused everywhere or nowhere.
 */
const contradiction = (able: BackendCapabilities, options: InitOptions): InitError | undefined =>
  able.passthrough === true && able.writebackCache === true && options.writebackCache !== false
    ? optionError(
        "writebackCache",
        "writebackCache and passthrough exclude each other: the backend declares both, and the kernel caches no writes " +
          "of files that it reads and writes past this process; declare one of them, or set the session's option writebackCache to false"
      )
    : undefined

const wrongVersion = ({ major, minor }: InitRequest): InitError | undefined => {
  if (major !== protocolVersion.major)
    return initError("major", `the kernel speaks FUSE ${major}.${minor}; only 7.x is spoken here`)
  return minor < protocolVersion.oldestMinor
    ? initError(
        "minor",
        `the kernel speaks FUSE 7.${minor}; 7.${protocolVersion.oldestMinor} is the oldest spoken here`
      )
    : undefined
}

/** The flags of a reply as they come together. */
interface Flags {
  readonly minor: number
  readonly offered: (flag: InitFlagName) => boolean
  /** Sets a flag that the kernel offers; notes it as refused by the kernel, and returns false, when it does not. */
  readonly want: (flag: InitFlagName) => boolean
  /** Notes that a flag is not set, and why. */
  readonly refuse: (flag: InitFlagName, by: RefusedFlag["by"]) => false
  readonly words: () => { readonly flags: number; readonly flags2: number }
  readonly refused: ReadonlyArray<RefusedFlag>
}

const flagsOf = (offer: InitRequest): Flags => {
  const extended = hasFlag(offer, "FUSE_INIT_EXT")
  const refused: Array<RefusedFlag> = []
  let flags = 0
  let flags2 = 0
  const offered = (flag: InitFlagName): boolean => (initFlagBits[flag] < 32 || extended) && hasFlag(offer, flag)
  const refuse: Flags["refuse"] = (flag, by) => {
    refused.push({ flag, by })
    return false
  }
  return {
    minor: Math.min(offer.minor, protocolVersion.minor),
    offered,
    refuse,
    want: (flag) => {
      if (!offered(flag)) return refuse(flag, "kernel")
      const bit = initFlagBits[flag]
      if (bit < 32) flags = (flags | (1 << bit)) >>> 0
      else flags2 = (flags2 | (1 << (bit - 32))) >>> 0
      return true
    },
    words: () => ({ flags, flags2 }),
    refused
  }
}

/** What no backend needs to declare. */
const sessionFlags = ({ minor, refuse, want }: Flags, options: InitOptions, requestTimeout: number) => {
  want("FUSE_BIG_WRITES")
  want("FUSE_HAS_IOCTL_DIR")
  want("FUSE_INIT_EXT")
  return {
    setxattrExt: want("FUSE_SETXATTR_EXT"),
    expireOnly: want("FUSE_HAS_EXPIRE_ONLY"),
    asyncRead: options.asyncRead !== false && want("FUSE_ASYNC_READ"),
    parallelDirops: options.parallelDirops !== false && want("FUSE_PARALLEL_DIROPS"),
    abortError: options.abortError !== false && want("FUSE_ABORT_ERROR"),
    resend: options.resend !== false && want("FUSE_HAS_RESEND"),
    overIoUring: options.overIoUring === true && want("FUSE_OVER_IO_URING"),
    // 7.36 and 7.37 sent the contexts with no length in the header to find them by.
    securityCtx:
      options.securityCtx === true && (minor >= 38 ? want("FUSE_SECURITY_CTX") : refuse("FUSE_SECURITY_CTX", "kernel")),
    requestTimeout: requestTimeout > 0 && want("FUSE_REQUEST_TIMEOUT") ? requestTimeout : 0
  }
}

/** How the kernel keeps pages. */
const cacheFlags = ({ want }: Flags, able: BackendCapabilities) => {
  // The kernel looks at FUSE_AUTO_INVAL_DATA first, and at the explicit one only without it.
  const explicitInvalData = able.explicitInvalData === true && want("FUSE_EXPLICIT_INVAL_DATA")
  if (!explicitInvalData && able.autoInvalData !== false) want("FUSE_AUTO_INVAL_DATA")
  if (able.asyncDio !== false) want("FUSE_ASYNC_DIO")
  return {
    explicitInvalData,
    directIoAllowMmap: able.directIoAllowMmap === true && want("FUSE_DIRECT_IO_ALLOW_MMAP"),
    cacheSymlinks: able.cacheSymlinks === true && want("FUSE_CACHE_SYMLINKS")
  }
}

/** A lock that waits keeps its entry of a ring, and a few of them would keep the unlock out: there locks are the kernel's own. */
const lockFlags = (
  { refuse, want }: Flags,
  able: BackendCapabilities,
  options: InitOptions,
  hasLocks: boolean,
  overIoUring: boolean
) => {
  const wanted = (flag: InitFlagName, asked: boolean | undefined): boolean => {
    if (overIoUring) return asked === true && refuse(flag, "transport")
    return hasLocks ? want(flag) : refuse(flag, "backend")
  }
  return {
    posixLocks:
      able.posixLocks === true && options.posixLocks !== false && wanted("FUSE_POSIX_LOCKS", options.posixLocks),
    flockLocks: able.flock === true && options.flock !== false && wanted("FUSE_FLOCK_LOCKS", options.flock)
  }
}

/** Who may do what, and for whom files are made. */
const permissionFlags = ({ offered, want }: Flags, able: BackendCapabilities, options: InitOptions) => ({
  dontMask: able.dontMask === true && want("FUSE_DONT_MASK"),
  handleKillpriv: able.handleKillpriv === true && want("FUSE_HANDLE_KILLPRIV"),
  handleKillprivV2: able.handleKillprivV2 === true && want("FUSE_HANDLE_KILLPRIV_V2"),
  posixAcl: able.posixAcl === true && options.posixAcl !== false && want("FUSE_POSIX_ACL"),
  createSuppGroup: able.createSuppGroup === true && want("FUSE_CREATE_SUPP_GROUP"),
  // A mount's default: that an older kernel lacks it is no news.
  allowIdmap:
    able.allowIdmap === true && options.allowIdmap === true && offered("FUSE_ALLOW_IDMAP") && want("FUSE_ALLOW_IDMAP")
})

/** How files and directories are opened, and found by a handle. */
const openFlags = ({ offered, want }: Flags, able: BackendCapabilities) => {
  const exportSupport = able.exportSupport === true && want("FUSE_EXPORT_SUPPORT")
  // Else the kernel gives out handles of its own (name_to_handle_at(2)) that are stale when it has forgotten the node.
  if (able.exportSupport !== true && offered("FUSE_NO_EXPORT_SUPPORT")) want("FUSE_NO_EXPORT_SUPPORT")
  return {
    exportSupport,
    atomicOTrunc: able.atomicOTrunc === true && want("FUSE_ATOMIC_O_TRUNC"),
    noOpen: able.noOpen === true && want("FUSE_NO_OPEN_SUPPORT"),
    noOpendir: able.noOpendir === true && want("FUSE_NO_OPENDIR_SUPPORT")
  }
}

/** How data goes to and from the kernel. */
const dataFlags = ({ refuse, want }: Flags, able: BackendCapabilities, options: InitOptions, hasWriteBuf: boolean) => {
  const spliceWrite = able.spliceWrite === true && want("FUSE_SPLICE_WRITE")
  const spliceMove =
    able.spliceMove === true && (spliceWrite ? want("FUSE_SPLICE_MOVE") : refuse("FUSE_SPLICE_MOVE", "backend"))
  const spliceRead =
    able.spliceRead === true && (hasWriteBuf ? want("FUSE_SPLICE_READ") : refuse("FUSE_SPLICE_READ", "backend"))
  const passthrough = able.passthrough === true && want("FUSE_PASSTHROUGH")
  let writebackCache = false
  if (able.writebackCache === true && options.writebackCache !== false) writebackCache = want("FUSE_WRITEBACK_CACHE")
  else if (options.writebackCache === true) refuse("FUSE_WRITEBACK_CACHE", "backend")
  return { spliceWrite, spliceMove, spliceRead, passthrough, writebackCache }
}

const listingFlags = (
  { refuse, want }: Flags,
  wanted: NonNullable<InitOptions["readdirplus"]>,
  hasReaddirplus: boolean
) => {
  if (wanted === "never" || !hasReaddirplus) {
    if (wanted === "always") refuse("FUSE_DO_READDIRPLUS", "backend")
    return { readdirplus: false, readdirplusAuto: false }
  }
  const readdirplus = want("FUSE_DO_READDIRPLUS")
  return { readdirplus, readdirplusAuto: readdirplus && wanted === "auto" && want("FUSE_READDIRPLUS_AUTO") }
}

/** How large a request may be. `replyMaxPages` is 0 where the kernel does not know the field. */
const sizesOf = ({ want }: Flags, { frameCapacity, maxWrite }: Numbers) => {
  const wholePages = want("FUSE_MAX_PAGES") ? mostPages : defaultPages
  const fitting = Math.max(pageSize, Math.floor((frameCapacity - frameRoom) / pageSize) * pageSize)
  const largest = Math.min(maxWrite, wholePages * pageSize, fitting)
  const maxPages = wholePages === mostPages ? Math.ceil(largest / pageSize) : defaultPages
  return { maxWrite: largest, maxPages, replyMaxPages: wholePages === mostPages ? maxPages : 0 }
}

/** Agrees on an INIT. Asks the kernel only for what it offers, the transport can carry and the backend has declared. */
export const negotiate = (offer: InitRequest, options: InitOptions, backend: InitBackend): Agreement | InitError => {
  const numbers = numbersOf(options)
  const able = backend.capabilities ?? {}
  const problem = wrongVersion(offer) ?? wrongNumber(numbers, options.maxReadahead ?? 0) ?? contradiction(able, options)
  if (problem !== undefined) return problem
  const flags = flagsOf(offer)
  const session = sessionFlags(flags, options, numbers.requestTimeout)
  const data = dataFlags(flags, able, options, backend.writeBuf !== undefined)
  const inForce = {
    ...session,
    ...cacheFlags(flags, able),
    ...lockFlags(flags, able, options, backend.setlk !== undefined, session.overIoUring),
    ...permissionFlags(flags, able, options),
    ...openFlags(flags, able),
    ...data,
    ...listingFlags(flags, options.readdirplus ?? "auto", backend.readdirplus !== undefined)
  }
  const { maxPages, maxWrite, replyMaxPages } = sizesOf(flags, numbers)
  const agreed = {
    major: protocolVersion.major,
    minor: flags.minor,
    ...flags.words(),
    maxWrite,
    // The kernel takes the smaller one of this and the mount's own limit, which may have been raised since the offer.
    maxReadahead: options.maxReadahead ?? Math.max(offer.maxReadahead, defaultReadahead),
    maxBackground: numbers.maxBackground,
    congestionThreshold: numbers.congestionThreshold,
    timeGran: numbers.timeGran,
    maxStackDepth: data.passthrough ? numbers.maxStackDepth : 0,
    requestTimeout: session.requestTimeout,
    mapAlignment: 0
  }
  const reply: InitReply = { ...agreed, maxPages: replyMaxPages }
  const negotiated: Negotiated = { ...inForce, ...agreed, maxPages }
  return { reply, negotiated, refused: flags.refused }
}
