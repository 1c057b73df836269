/** A filesystem in a PostgreSQL database: complete, and there again after whatever happens to its server. */
import type {
  CopyFileRangeRequest,
  Negotiated,
  ReaddirplusRequest,
  ReaddirRequest,
  StatfsRequest,
  U64
} from "@bickford/protocol"
import type { Backend, BackendConnection, ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { checkOptions } from "../checkOptions.ts"
import { attributeOperations } from "../posix/attributes.ts"
import { timespec } from "../posix/clock.ts"
import { dataOperations } from "../posix/data.ts"
import { done } from "../posix/filesystem.ts"
import { makeKernelPages } from "../posix/kernelPages.ts"
import { isRegular } from "../posix/inode.ts"
import { listingOperations } from "../posix/listing.ts"
import { namespaceOperations } from "../posix/namespace.ts"
import { makeOpening, openOperations, releasedir, uncachedOpening } from "../posix/open.ts"
import { pathOf } from "../posix/pathOf.ts"
import { renameOperations } from "../posix/rename.ts"
import { slicedFallocate, slicedLseek, slicedSetattr, type Sliced } from "../posix/slices.ts"
import { statfsOf, storedCapabilities } from "../posix/stored.ts"
import { withoutOpening } from "../posix/withoutOpening.ts"
import { xattrOperations } from "../posix/xattrOperations.ts"
import type { Recorded } from "../sqlite/once.ts"
import { makeRecords } from "../sqlite/records.ts"
import { ContentBytes } from "./contentBytes.ts"
import { DatabaseError } from "./database.ts"
import type { PostgresStoreError } from "./errors.ts"
import { makeFilesystem, type OpenStore, type StoredFilesystem } from "./filesystem.ts"
import { openStore } from "./openStore.ts"
import { isSuccess } from "./once.ts"
import { type PostgresOptions, postgresChecks } from "./options.ts"
import { makeProbes } from "./probes.ts"
import { RowFault } from "./rowFault.ts"
import {
  beatSession,
  claimSession,
  deadAfterSeconds,
  endSession,
  releaseSession,
  type Session,
  StoreTaken
} from "./session.ts"
import { makeSweeper } from "./sweeper.ts"

/** What a store holds, and what serving it took so far. */
export interface PostgresStats {
  /** The root included, and files that were unlinked but are still held. */
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes: number
  /** Statements sent to the server: each is one round trip. */
  readonly statements: number
}

/** A filesystem kept in a database, and what it holds. */
export interface PostgresBackend extends Backend {
  /** How much it holds now. */
  readonly stats: () => PostgresStats
}

/** Bytes of the smallest entry of a listing: `struct fuse_dirent` and `struct fuse_direntplus` in fuse_kernel.h, with a name. */
const direntMin = 32
const direntPlusMin = 160

/** As many entries as can fit into `size` bytes, and one more, taken while what they miss can still be loaded. */
const taken = <A>(
  listed: Effect.Effect<Iterable<A>, ErrnoError>,
  size: number,
  smallest: number
): Effect.Effect<Iterable<A>, ErrnoError> => {
  if (!isSuccess(listed)) return listed
  const entries: Array<A> = []
  const most = Math.floor(size / smallest) + 1
  for (const entry of listed.value) if (entries.push(entry) >= most) break
  return Exit.succeed(entries)
}

/** Chunks of either file that one COPY_FILE_RANGE looks at: 8 MiB, which are in memory then. */
const copyChunks = 128

/** What memory alone can tell: a line of a log is not worth a question to the server. */
const fromMemory = <A>(tell: () => A): A | undefined => {
  try {
    return tell()
  } catch (fault) {
    if (fault instanceof RowFault) return undefined
    throw fault
  }
}

/** Files whose work is done slice by slice. */
const slicedBy = ({ filesystem, runner }: StoredFilesystem): Sliced => ({
  usage: filesystem.usage,
  isRecorded: runner.isRecorded,
  look: runner.look,
  part: runner.part,
  file: (nodeid) => {
    const inode = filesystem.node(nodeid)
    return inode !== undefined && isRegular(inode) && inode.content instanceof ContentBytes
      ? { inode, bytes: inode.content }
      : undefined
  }
})

/** The operations on a store, by the rules of `posix/`. */
const operationsOf = (store: StoredFilesystem, options: PostgresOptions, pages: ReturnType<typeof makeKernelPages>) => {
  const { filesystem: fs, runner } = store
  const { changing, reading } = runner
  const opening = options.manyHosts === true ? uncachedOpening : makeOpening("kernel")
  const negative =
    options.negativeTimeout === undefined || options.negativeTimeout === 0
      ? undefined
      : timespec(options.negativeTimeout)
  const names = namespaceOperations(fs, opening, negative)
  const opens = openOperations(fs, opening)
  const attributes = attributeOperations(fs)
  const data = dataOperations(fs, pages)
  const listing = listingOperations(fs)
  const xattrs = xattrOperations(fs)
  const probes = makeProbes(store)
  const { answerFor, created, node, nothing } = makeRecords(fs, opening)
  const size: Recorded<unknown, U64> = { toRecord: (n) => n, fromRecord: (n) => Exit.succeed(n) }

  const sliced = slicedBy(store)
  const setattr = changing(attributes.setattr, {
    toRecord: () => 0,
    fromRecord: (_record, { nodeid }) => answerFor(nodeid, (inode) => inode.answer)
  })

  const operations = {
    lookup: reading(names.lookup, probes.name),
    getattr: reading(attributes.getattr),
    statx: reading(attributes.statx),
    setattr: slicedSetattr(sliced, setattr, attributes.setattr),
    readlink: reading(names.readlink),
    symlink: changing(names.symlink, node, probes.name),
    mknod: changing(names.mknod, node, probes.name),
    mkdir: changing(names.mkdir, node, probes.name),
    unlink: changing(names.unlink, nothing, probes.name),
    rmdir: changing(names.rmdir, nothing, probes.name),
    rename: changing(renameOperations(fs).rename, nothing, probes.rename),
    link: changing(names.link, node, probes.link),
    create: changing(names.create, created, probes.name),
    tmpfile: changing(names.tmpfile, created),
    open: reading(opens.open),
    release: () => done,
    opendir: reading(opens.opendir),
    releasedir,
    readdir: reading<ReaddirRequest>((request, context) =>
      taken(listing.readdir(request, context), request.size, direntMin)
    ),
    readdirplus: reading<ReaddirplusRequest>((request, context) =>
      store.listing(true, () => taken(listing.readdirplus(request, context), request.size, direntPlusMin))
    ),
    read: reading(data.read, probes.read),
    write: changing(data.write, { toRecord: (n) => n, fromRecord: (n) => Exit.succeed(Number(n)) }, probes.write),
    fallocate: slicedFallocate(sliced, changing(data.fallocate, nothing), data.fallocate),
    lseek: slicedLseek(sliced, reading(data.lseek)),
    // The kernel asks for what is left.
    copyFileRange: changing<CopyFileRangeRequest>(
      (request, context) => data.copyFileRange({ ...request, len: probes.copy(request, copyChunks) }, context),
      size
    ),
    pathOf: (nodeid: U64) => fromMemory(() => store.listing(true, () => pathOf(fs)(nodeid))),
    // Every change was stored before it was answered, and the server has it on its disk.
    fsync: () => done,
    fsyncdir: () => done,
    syncfs: () => done,
    ...(options.xattrs === false
      ? {}
      : {
          getxattr: reading(xattrs.getxattr),
          listxattr: reading(xattrs.listxattr),
          setxattr: changing(xattrs.setxattr, nothing),
          removexattr: changing(xattrs.removexattr, nothing)
        }),
    statfs: reading<StatfsRequest>(() => Exit.succeed(statfsOf(store.limits(), store.used())))
  }
  return { operations, opening }
}

/** Milliseconds between two signs of life of a session. */
const beatEvery = 1000

/**
 * Claims the store for a connection. While another session may be alive it is watched: one that shows no sign of life for
 * its time is dead, one that does has the store.
 */
const claim = Effect.fnUntraced(function* (
  { database, name }: OpenStore,
  connection: string,
  { deadAfter = deadAfterSeconds, manyHosts = false }: PostgresOptions
) {
  let seen: string | undefined
  for (;;) {
    const claimed = yield* Effect.promise(() =>
      claimSession(database, name, connection, { shares: manyHosts, deadAfter }).catch((error: unknown) => {
        if (error instanceof StoreTaken) return error
        throw error
      })
    )
    if (!(claimed instanceof StoreTaken)) return claimed
    if (seen !== undefined && seen !== claimed.seen) return yield* Effect.die(claimed)
    seen = claimed.seen
    yield* Effect.sleep(beatEvery)
  }
})

/** Serves a store that is open. */
export const serveStore = Effect.fnUntraced(function* (opened: OpenStore, options: PostgresOptions) {
  const context = yield* Effect.context<never>()
  const log = (sentence: string): void => void Effect.runForkWith(context)(Effect.logWarning(`postgres: ${sentence}`))
  const store = makeFilesystem(opened, options, log)
  const sweeper = makeSweeper(opened.database)
  const pages = makeKernelPages()
  const { opening, operations } = operationsOf(store, options, pages)
  const { commits } = store
  let session: Session | undefined

  const beat = Effect.suspend(() => {
    const of = session
    if (of === undefined) return Effect.void
    return Effect.tryPromise(() => beatSession(opened.database, of)).pipe(
      Effect.tap((alive) => (alive || session !== of ? Effect.void : Effect.sync(() => void commits.fence()))),
      // A server that is away is noticed by those who need it.
      Effect.ignore
    )
  })
  yield* Effect.forkScoped(store.sharing?.run ?? Effect.repeat(beat, Schedule.spaced(beatEvery)))
  yield* Effect.forkScoped(sweeper)
  const scope = yield* Effect.scope
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      commits.close,
      Effect.sync(() => {
        store.sharing?.end()
        if (session !== undefined) releaseSession(opened.name, session)
        session = undefined
      })
    )
  )

  const backend = {
    // What the kernel does not keep can be mapped all the same.
    capabilities: options.manyHosts === true ? { ...storedCapabilities, directIoAllowMmap: true } : storedCapabilities,
    durable: true,
    // Stopped between slices; the slices that were done stay.
    interruptible: { fallocate: "fatal" } as const,
    commit: commits.commit,
    delivered: store.answers.delivered,
    /** Ends when the store is another server's. */
    run: Effect.andThen(store.lost, Effect.die(new Error("another server has taken the store over"))),
    init: (_negotiated: Negotiated, connection: BackendConnection) =>
      Effect.gen(function* () {
        pages.connect(connection)
        store.atimes.follow(connection.atime)
        opening.follow(connection.atime)
        session = yield* claim(opened, connection.id, options)
        yield* Effect.catch(Scope.provide(store.begin(session, connection), scope), (error) =>
          error instanceof DatabaseError ? Effect.die(error) : Effect.fail(error)
        )
      }),
    destroy: () =>
      Effect.gen(function* () {
        yield* commits.close
        const of = session
        session = undefined
        store.sharing?.end()
        if (of === undefined) return
        releaseSession(opened.name, of)
        yield* Effect.ignore(Effect.tryPromise(() => endSession(opened.database, of)))
      }),
    forget: (nodeid: U64, _nlookup: number, left: number) => {
      if (left > 0 || commits.lost() !== undefined) return
      if (store.sharing === undefined) store.filesystem.forget(nodeid)
      else store.sharing.forget(nodeid)
    },
    ...operations,
    stats: () => ({
      inodes: store.used().inodes,
      bytes: store.bytesUsed(),
      statements: opened.database.statements()
    })
  } satisfies PostgresBackend
  return options.opens === true || options.manyHosts === true ? backend : withoutOpening(backend)
})

/**
 * The filesystem in the database that `url` names, as libpq writes it: `postgresql://USER@HOST:PORT/DATABASE?sslmode=...`,
 * in the schema `bickford` or the one that `schema` of the URL names, which is made if it is not there. Mount it with
 * `default_permissions`. Every change is stored by the server before it is answered. POSIX and BSD locks are the kernel's.
 * Needs the package `pg`. Throws a TypeError for an option that is not there, or has a value that it cannot have.
 */
export const postgres = (
  url: string,
  options: PostgresOptions = {}
): Effect.Effect<PostgresBackend, PostgresStoreError, Scope.Scope> => {
  checkOptions("postgres", options, postgresChecks)
  return Effect.flatMap(openStore(url, options), (opened) => serveStore(opened, options))
}
