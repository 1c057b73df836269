/** A filesystem in this process's memory: complete, and gone with it. */
import type { Negotiated, PollRequest, Statfs } from "@bickford/protocol"
import type { Backend, BackendConnection } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { checkOptions } from "../checkOptions.ts"
import { attributeOperations } from "../posix/attributes.ts"
import { timespec } from "../posix/clock.ts"
import { dataOperations } from "../posix/data.ts"
import { makeFilesystem } from "./filesystem.ts"
import { makeKernelPages } from "../posix/kernelPages.ts"
import { nameMax, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../posix/linux.ts"
import { invariantsOf } from "../posix/invariants.ts"
import { listingOperations } from "../posix/listing.ts"
import { lockOperations } from "./lockOperations.ts"
import { namespaceOperations } from "../posix/namespace.ts"
import { makeOpening, openOperations, releasedir } from "../posix/open.ts"
import { pathOf } from "../posix/pathOf.ts"
import { memoryChecks, type MemoryOptions } from "./options.ts"
import { renameOperations } from "../posix/rename.ts"
import { blockSize } from "../posix/usage.ts"
import { withoutOpening } from "../posix/withoutOpening.ts"
import { xattrOperations } from "../posix/xattrOperations.ts"

/** What a memory filesystem uses. */
export interface MemoryStats {
  /** The root included, and files that were unlinked but are still held. */
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes: number
  readonly locksHeld: number
  readonly locksWaiting: number
}

/** A filesystem in memory, and what it holds. */
export interface MemoryBackend extends Backend {
  /** How much it holds now. */
  readonly stats: () => MemoryStats
  /** What is wrong within, a sentence each, for tests: empty between two operations. Walks the whole tree. */
  readonly invariants: () => ReadonlyArray<string>
}

const alwaysReady = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM

/**
 * An empty filesystem in memory. Mount it with `default_permissions`: permission bits are the kernel's
 * to check. All operations but SETLKW answer at once. FSYNC and ACCESS are absent, and so cost nothing. Throws a TypeError
 * for an option that is not there, or has a value that it cannot have.
 */
export const memory = (options: MemoryOptions = {}): MemoryBackend => {
  checkOptions("memory", options, memoryChecks)
  const { atimes, filesystem: fs, locks: held, makeLender, usage } = makeFilesystem(options)
  const locks = options.locks ?? "kernel"
  const opening = makeOpening(locks)
  const pages = makeKernelPages()
  const negative =
    options.negativeTimeout === undefined || options.negativeTimeout === 0
      ? undefined
      : timespec(options.negativeTimeout)

  const backend = {
    capabilities: {
      autoInvalData: false,
      asyncDio: false,
      posixLocks: locks === "server",
      flock: locks === "server",
      exportSupport: true,
      handleKillprivV2: true,
      cacheSymlinks: true,
      allowIdmap: true
    },
    init: (_negotiated: Negotiated, connection: BackendConnection) =>
      Effect.sync(() => {
        pages.connect(connection)
        atimes.follow(connection.atime)
        opening.follow(connection.atime)
        connection.lendMemory(makeLender())
      }),
    ...namespaceOperations(fs, opening, negative),
    ...renameOperations(fs),
    ...listingOperations(fs),
    ...attributeOperations(fs),
    ...dataOperations(fs, pages),
    ...(options.xattrs === false ? {} : xattrOperations(fs)),
    ...(locks === "server" ? lockOperations(held) : {}),
    ...openOperations(fs, opening),
    releasedir,
    statfs: () => {
      const free = usage.blocksMax - usage.total.blocks
      const files = usage.maxInodes
      const reply: Statfs = {
        blocks: usage.blocksMax,
        bfree: free,
        bavail: free,
        files,
        ffree: files - usage.total.inodes,
        bsize: blockSize,
        namelen: nameMax,
        frsize: blockSize
      }
      return Exit.succeed(reply)
    },
    poll: ({ events }: PollRequest) => Exit.succeed(events & alwaysReady),
    pathOf: pathOf(fs),
    invariants: () => invariantsOf(fs, usage.total),
    stats: () => {
      const { held: locksHeld, waiting: locksWaiting } = held.count()
      return { inodes: usage.total.inodes, bytes: usage.total.blocks * blockSize, locksHeld, locksWaiting }
    }
  } satisfies MemoryBackend
  return locks === "kernel" && options.opens !== true ? withoutOpening(backend) : backend
}
