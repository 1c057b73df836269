/** What serves a store, for tests: a process of its own in all but name. */
import type { Negotiated, Request, ReplyOf, U64 } from "@bickford/protocol"
import type { Backend, BackendConnection, ErrnoError, Notify } from "@bickford/session"
import { atimePolicy, Errno } from "@bickford/session"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { sqlite, type SqliteOptions } from "../../src/index.ts"

const unexpected = () => Effect.die(new Error("an unexpected notification"))

/** A kernel that holds these nodes, and is asked about no other matter. */
export const connection = (id: string, held: ReadonlySet<U64>, asked: Array<U64>): BackendConnection => {
  const notify: Notify = {
    poll: unexpected,
    dropAttributes: () => {
      throw new Error("no attributes are dropped")
    },
    invalEntry: unexpected,
    delete: unexpected,
    store: unexpected,
    retrieve: unexpected,
    resend: unexpected,
    incEpoch: unexpected,
    prune: unexpected,
    invalInode: (nodeid, offset) => {
      asked.push(nodeid)
      return offset === -1 && held.has(nodeid) ? Effect.void : Errno.ENOENT
    }
  }
  return { id, notify, atime: atimePolicy({}), openBacking: () => -95, closeBacking: () => -95, lendMemory: () => {} }
}

export const negotiated: Negotiated = {
  major: 7,
  minor: 41,
  setxattrExt: true,
  flags: 0,
  flags2: 0,
  maxWrite: 1048576,
  maxPages: 256,
  maxReadahead: 131072,
  maxBackground: 64,
  congestionThreshold: 48,
  timeGran: 1,
  maxStackDepth: 0,
  requestTimeout: 0,
  mapAlignment: 0,
  asyncRead: true,
  posixLocks: false,
  flockLocks: false,
  atomicOTrunc: true,
  exportSupport: true,
  dontMask: false,
  readdirplus: true,
  readdirplusAuto: true,
  writebackCache: false,
  spliceRead: false,
  noOpen: false,
  noOpendir: false,
  parallelDirops: true,
  posixAcl: false,
  abortError: true,
  cacheSymlinks: true,
  explicitInvalData: false,
  handleKillpriv: false,
  handleKillprivV2: true,
  directIoAllowMmap: false,
  createSuppGroup: false,
  spliceWrite: false,
  spliceMove: false,
  allowIdmap: false,
  securityCtx: false,
  expireOnly: true,
  passthrough: false,
  resend: true,
  overIoUring: false
}

type RequestOf<Op extends keyof ReplyOf> = Extract<Request, { readonly op: Op }>

interface Call {
  readonly unique: U64
  readonly resent?: boolean
  /** Others of its batch follow: the commit is theirs. */
  readonly more?: boolean
}

/** A store that is served. */
export interface Server {
  readonly backend: Backend & { readonly stats: () => { readonly inodes: number; readonly bytes: number } }
  /** Nodes that the kernel was asked about. */
  readonly asked: ReadonlyArray<U64>
  /** Runs an operation and commits; what it was answered is not delivered. */
  readonly call: <
    Op extends
      | "mkdir"
      | "unlink"
      | "write"
      | "create"
      | "rename"
      | "tmpfile"
      | "lookup"
      | "getattr"
      | "read"
      | "copyFileRange"
      | "setattr"
      | "setxattr"
      | "fsync"
  >(
    op: Op,
    fields: Partial<RequestOf<Op>>,
    call: Call
  ) => Effect.Effect<ReplyOf[Op], ErrnoError>
  readonly commit: Effect.Effect<void, ErrnoError>
  /** Ends it; whatever has not been committed is lost. */
  readonly kill: Effect.Effect<void>
}

const time = { sec: 0, nsec: 0 }
const fields = {
  nodeid: 1,
  uid: 0,
  gid: 0,
  pid: 1,
  name: "name",
  mode: 0o644,
  umask: 0,
  flags: 0,
  openFlags: 0,
  fh: 0,
  getattrFlags: 0,
  writeFlags: 0,
  lockOwner: 0,
  size: 0,
  valid: 0,
  atime: time,
  mtime: time,
  ctime: time,
  newUid: 0,
  newGid: 0,
  setxattrFlags: 0,
  fsyncFlags: 0,
  wide: true,
  fhIn: 0,
  fhOut: 0,
  newdir: 1,
  offset: 0
}

/** Opens a store and serves a connection with it. */
export const serveStore = <B extends Server["backend"], E>(
  store: Effect.Effect<B, E, Scope.Scope>,
  id: string,
  held: Iterable<U64> = []
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const asked: Array<U64> = []
    const backend = yield* Scope.provide(store, scope)
    yield* backend.init?.(negotiated, connection(id, new Set(held), asked)) ?? Effect.void
    const commit = backend.commit ?? Effect.void
    const server: Omit<Server, "backend"> & { readonly backend: B } = {
      backend,
      asked,
      commit,
      call: (op, given, { more = false, resent = false, unique }) =>
        Effect.gen(function* () {
          const operation: unknown = backend[op]
          if (typeof operation !== "function") return yield* Effect.die(new Error(`no ${op}`))
          // The fields are those of every one of these requests.
          const run = (): Effect.Effect<ReplyOf[typeof op], ErrnoError> =>
            operation({ ...fields, op, unique, ...given }, requestContext({ unique, resent }))
          const exit = yield* Effect.exit(Effect.suspend(run))
          if (!more) yield* commit
          return yield* exit
        }),
      kill: Scope.close(scope, Exit.void)
    }
    return server
  })

/** As `serveStore`, with the store at a path. */
export const serve = (path: string, id: string, held: Iterable<U64> = [], options: SqliteOptions = {}) =>
  serveStore(sqlite(path, options), id, held)
