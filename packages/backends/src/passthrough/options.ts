import { type Checks, flag, list, seconds, whole } from "../checkOptions.ts"

/** Ids `inside`, as the mount shows them, and `outside`, as the directory has them: `count` of them from each on. */
export interface IdRange {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

/** Timeouts, ids and ways of data of a served directory. */
export interface PassthroughOptions {
  /** Nothing can be changed: EROFS. Default false. */
  readonly readOnly?: boolean
  /** Users as the mount shows them. Who is in no range is 65534 there, and cannot own anything (EOVERFLOW). Default: as they are. */
  readonly uids?: ReadonlyArray<IdRange>
  /** Groups, likewise. */
  readonly gids?: ReadonlyArray<IdRange>
  /** False: there are no extended attributes, and the kernel does not ask for them before each write. Default true. */
  readonly xattrs?: boolean
  /** Seconds that the kernel may trust a name. Default 1. */
  readonly entryTimeout?: number
  /** Seconds that the kernel may trust attributes. Default 1. */
  readonly attrTimeout?: number
  /** Seconds that the kernel may trust that a name is not there: one made underneath meanwhile is seen later. Default 0. */
  readonly negativeTimeout?: number
  /** The kernel keeps what is written and writes it back later; nobody else may change the files. Needs `kernelPassthrough: false`. Default false. */
  readonly writebackCache?: boolean
  /** Large writes that come to this process are spliced to their files, not copied by way of its memory. Default false: docs/performance.md. */
  readonly spliceRead?: boolean
  /** Data goes past this process, where the kernel can do that (Linux 6.9, root). Default true. */
  readonly kernelPassthrough?: boolean
  /** Descriptors held for files that the kernel remembers, besides those that are open. Default 256. */
  readonly maxDescriptors?: number
  /**
   * Nodes and open files are kept where several isolates reach them, so that a mount with `threads` is served by one for each CPU,
   * where the kernel has FUSE over io_uring (docs/io-uring.md). Default false.
   */
  readonly shared?: boolean
}

export const passthroughChecks: Checks<PassthroughOptions> = {
  readOnly: flag,
  uids: list,
  gids: list,
  xattrs: flag,
  entryTimeout: seconds,
  attrTimeout: seconds,
  negativeTimeout: seconds,
  writebackCache: flag,
  spliceRead: flag,
  kernelPassthrough: flag,
  maxDescriptors: whole,
  shared: flag
}
