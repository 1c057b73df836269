/** A filesystem in one SQLite file: complete, and there again after whatever happens to its server. */
import type { AnswerOf, Negotiated, Request } from "@bickford/protocol"
import { type Backend, type BackendConnection, Errno, type Operation } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { checkOptions, checkPath } from "../checkOptions.ts"
import { attributeOperations } from "../posix/attributes.ts"
import { timespec } from "../posix/clock.ts"
import { dataOperations } from "../posix/data.ts"
import { done } from "../posix/filesystem.ts"
import { isRegular } from "../posix/inode.ts"
import { invariantsOf } from "../posix/invariants.ts"
import { makeKernelPages } from "../posix/kernelPages.ts"
import { listingOperations } from "../posix/listing.ts"
import { namespaceOperations } from "../posix/namespace.ts"
import { makeOpening, openOperations, releasedir } from "../posix/open.ts"
import { pathOf } from "../posix/pathOf.ts"
import { renameOperations } from "../posix/rename.ts"
import { slicedFallocate, slicedLseek, slicedSetattr, type Sliced } from "../posix/slices.ts"
import { statfsOf, storedCapabilities } from "../posix/stored.ts"
import { blockSize } from "../posix/usage.ts"
import { withoutOpening } from "../posix/withoutOpening.ts"
import { xattrOperations } from "../posix/xattrOperations.ts"
import { StoredBytes } from "./bytes.ts"
import type { SqliteStoreError } from "./errors.ts"
import { makeFilesystem, type StoredFilesystem } from "./filesystem.ts"
import { makeRunner, type Recorded, type Runner } from "./once.ts"
import { openStore } from "./open.ts"
import { makeRecords } from "./records.ts"
import { sqliteChecks, type SqliteOptions } from "./options.ts"

/** What a store holds. */
export interface SqliteStats {
  /** The root included, and files that were unlinked but are still held. */
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes: number
}

/** A filesystem kept in a store, and what it holds. */
export interface SqliteBackend extends Backend {
  /** How much it holds now. */
  readonly stats: () => SqliteStats
  /** What is wrong within, a sentence each, for tests: empty between two operations. Walks the whole tree. */
  readonly invariants: () => ReadonlyArray<string>
}

/**
 * Removes files that have no name and that nobody holds. After an earlier server of this connection the kernel may still
 * hold some, so it is asked about each.
 */
const collectOrphans = (
  store: StoredFilesystem,
  connection: BackendConnection,
  served: boolean
): Effect.Effect<void> => {
  const { filesystem, inodes, replies } = store
  const collect = (ino: number): void => filesystem.forget(ino)
  const ask = (ino: number): Effect.Effect<void> =>
    // Its answer may be on the way to the kernel, which would not know it yet.
    replies.names(ino)
      ? Effect.void
      : connection.notify.invalInode(ino, -1).pipe(
          Effect.catchTag("ENOENT", () => Effect.sync(() => collect(ino))),
          // One that cannot be asked about stays, until another server asks.
          Effect.catch(() => Effect.void)
        )
  return Effect.forEach(inodes.orphans(), (ino) => (served ? ask(ino) : Effect.sync(() => collect(ino))), {
    discard: true
  })
}

/** Has the next commit wait for the disk. */
const makeFsync =
  ({ syncAtCommit }: StoredFilesystem) =>
  (): typeof done => {
    syncAtCommit()
    return done
  }

/** A request that changes the store. */
export type ChangingRequest = Extract<
  Request,
  {
    readonly op:
      | "copyFileRange"
      | "create"
      | "fallocate"
      | "link"
      | "mkdir"
      | "mknod"
      | "removexattr"
      | "rename"
      | "rmdir"
      | "setattr"
      | "setxattr"
      | "symlink"
      | "tmpfile"
      | "unlink"
      | "write"
  }
>

/** Wraps an operation: what it does besides is in the same transaction. */
export type WatchChanges = <Req extends ChangingRequest>(operation: Operation<Req>) => Operation<Req>

const unwatched: WatchChanges = (operation) => operation

/** What wraps operations that change the store, so that each takes effect once, and `watch` is told of it. */
const makeChanging = (store: StoredFilesystem, runner: Runner, watch: WatchChanges) => {
  const changing = <Req extends ChangingRequest>(
    operation: Operation<Req>,
    recorded: Recorded<Req, AnswerOf<Req["op"]>>
  ): Operation<Req> => runner.changing(watch(operation), recorded)

  /** Wraps an operation that adds to the store: ENOSPC when only the reserve is left, which removals need. */
  const adding = <Req extends ChangingRequest>(
    operation: Operation<Req>,
    recorded: Recorded<Req, AnswerOf<Req["op"]>>
  ): Operation<Req> =>
    changing((request, context) => (store.hasSpare() ? operation(request, context) : Errno.ENOSPC), recorded)

  return { adding, changing }
}

/** Files whose work is done slice by slice: what is looked at is at hand, or throws. */
const slicedBy = (fs: StoredFilesystem["filesystem"], { isRecorded, part }: Runner): Sliced => ({
  usage: fs.usage,
  isRecorded,
  part,
  look: (body) => Exit.succeed(body()),
  file: (nodeid) => {
    const inode = fs.node(nodeid)
    if (inode === undefined || !isRegular(inode)) return undefined
    const bytes = fs.bytes(inode)
    return bytes instanceof StoredBytes ? { inode, bytes } : undefined
  }
})

/** Serves a store that is open. `watch` is given each operation that changes it. */
export const serveStore = (
  store: StoredFilesystem,
  runner: Runner,
  options: SqliteOptions,
  watch: WatchChanges = unwatched
): SqliteBackend => {
  const { commit, forget, reading } = runner
  const { adding, changing } = makeChanging(store, runner, watch)
  const fs = store.filesystem
  const opening = makeOpening("kernel")
  const pages = makeKernelPages()
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

  const { answerFor, created, node, nothing } = makeRecords(fs, opening)

  const fsync = makeFsync(store)
  const sliced = slicedBy(fs, runner)
  const setattr = changing(attributes.setattr, {
    toRecord: () => 0,
    fromRecord: (_record, { nodeid }) => answerFor(nodeid, (inode) => inode.answer)
  })

  const backend = {
    capabilities: storedCapabilities,
    durable: true,
    // Stopped between slices; the slices that were done stay.
    interruptible: { fallocate: "fatal" },
    commit: Effect.suspend(commit),
    delivered: store.replies.delivered,
    init: (_negotiated: Negotiated, connection: BackendConnection) =>
      Effect.suspend(() => {
        pages.connect(connection)
        store.atimes.follow(connection.atime)
        opening.follow(connection.atime)
        return collectOrphans(store, connection, store.serve(connection.id))
      }).pipe(Effect.andThen(Effect.suspend(commit))),

    lookup: reading(names.lookup),
    forget: (nodeid, _nlookup, left) => {
      if (left > 0) return
      forget(nodeid)
    },
    getattr: reading(attributes.getattr),
    statx: reading(attributes.statx),
    setattr: slicedSetattr(sliced, setattr, watch(attributes.setattr)),
    readlink: reading(names.readlink),
    symlink: adding(names.symlink, node),
    mknod: adding(names.mknod, node),
    mkdir: adding(names.mkdir, node),
    unlink: changing(names.unlink, nothing),
    rmdir: changing(names.rmdir, nothing),
    rename: changing(renameOperations(fs).rename, nothing),
    link: adding(names.link, node),
    create: adding(names.create, created),
    tmpfile: adding(names.tmpfile, created),
    open: reading(opens.open),
    release: () => done,
    opendir: reading(opens.opendir),
    releasedir,
    readdir: reading(listing.readdir),
    readdirplus: reading(listing.readdirplus),
    read: reading(data.read),
    write: changing(data.write, { toRecord: (size) => size, fromRecord: (size) => Exit.succeed(Number(size)) }),
    fallocate: slicedFallocate(sliced, changing(data.fallocate, nothing), watch(data.fallocate)),
    lseek: slicedLseek(sliced, reading(data.lseek)),
    copyFileRange: changing(data.copyFileRange, { toRecord: (size) => size, fromRecord: (size) => Exit.succeed(size) }),
    fsync,
    fsyncdir: fsync,
    syncfs: fsync,
    ...(options.xattrs === false
      ? {}
      : {
          getxattr: reading(xattrs.getxattr),
          listxattr: reading(xattrs.listxattr),
          setxattr: adding(xattrs.setxattr, nothing),
          removexattr: changing(xattrs.removexattr, nothing)
        }),
    statfs: reading(() => Exit.succeed(statfsOf(store.limits(), store.used()))),
    pathOf: pathOf(fs, store.parentOf),
    invariants: () => invariantsOf(fs, store.used()),
    stats: () => {
      const { blocks, inodes } = store.used()
      return { inodes, bytes: blocks * blockSize }
    }
  } satisfies SqliteBackend
  return options.opens === true ? backend : withoutOpening(backend)
}

/**
 * The filesystem in the store at `path`, which is made if it is not there. Mount it with
 * `default_permissions`. Every operation answers at once; what it changed is permanent once `commit` has
 * run, and survives a power cut once an fsync was answered. POSIX and BSD locks are the kernel's.
 * Throws a TypeError for an option that is not there, or has a value that it cannot have.
 */
export const sqlite = (
  path: string,
  options: SqliteOptions = {}
): Effect.Effect<SqliteBackend, SqliteStoreError, Scope.Scope> => {
  checkPath("sqlite", path)
  checkOptions("sqlite", options, sqliteChecks)
  return Effect.gen(function* () {
    const opened = yield* openStore(path)
    const store = makeFilesystem(opened, options)
    const runner = makeRunner(store)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        runner.close()
        store.close()
      })
    )
    return serveStore(store, runner, options)
  })
}
