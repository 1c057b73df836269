/** A directory of the machine's own. */
import { errnoNumbers, nameFromBytes } from "@bickford/protocol"
import {
  answeredBy,
  type Backend,
  type BackendConnection,
  Errno,
  errnoError,
  servedByIsolates,
  type SharedBackend
} from "@bickford/session"
import { checkOptions, checkPath } from "../checkOptions.ts"
import { attachFiles, coveredPlaces, files, type SharedFiles } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { availableParallelism } from "node:os"
import { readOnly } from "../combinators/readOnly.ts"
import { timespec } from "../posix/clock.ts"
import { attributeOperations } from "./attributeOperations.ts"
import { type Attributes, makeAttributes } from "./attributes.ts"
import { makeBackings } from "./backing.ts"
import { makeCaller } from "./caller.ts"
import { makeCreationMode } from "./creation.ts"
import { openServed } from "./covered.ts"
import { dataOperations } from "./dataOperations.ts"
import { directoryOperations } from "./directoryOperations.ts"
import { descriptorLimits, makeRoom } from "./descriptors.ts"
import { makeIdMap } from "./ids.ts"
import { isolateModule } from "./isolateModule.ts"
import { makeListings } from "./listings.ts"
import { nameOperations } from "./nameOperations.ts"
import { makeNodes } from "./nodes.ts"
import { makeOpenFlags } from "./openFlags.ts"
import { openOperations } from "./openOperations.ts"
import { makeOpenFiles } from "./openFiles.ts"
import { passthroughChecks, type PassthroughOptions } from "./options.ts"
import type { Served } from "./served.ts"
import { makeSharedBackings } from "./shared/backings.ts"
import { makeSharedListings } from "./shared/listings.ts"
import { makeSharedNodes } from "./shared/nodes.ts"
import { byKernelBit, madeBit, makeSharedOpenFiles } from "./shared/openFiles.ts"
import { xattrOperations } from "./xattrOperations.ts"

/** The directory cannot be served. */
export class PassthroughError extends Data.TaggedError("PassthroughError")<{
  /** The directory's, as it was given. */
  readonly path: string
  /** Why, and what to do. */
  readonly message: string
}> {}

/** A directory of the machine's own, served. */
export interface PassthroughBackend extends Backend {
  /** Descriptors held for files that the kernel remembers. */
  readonly descriptors: () => number
  /** What is wrong within, a sentence each, for tests: empty between two operations. */
  readonly invariants: () => ReadonlyArray<string>
}

const defaultDescriptors = 256
/** What an isolate has of them at the least. */
const fewDescriptors = 32

const why = (status: number): string =>
  status === -errnoNumbers.EDEADLK
    ? "it lies at or below its own mountpoint, and was not opened before that was mounted; mount it elsewhere"
    : errnoError(-status).message

const fail = (path: string, status: number): Effect.Effect<never, PassthroughError> =>
  Effect.fail(new PassthroughError({ path, message: `${path}: cannot be served: ${why(status)}` }))

/** The options as they can be, or why not. */
const checkTogether = (directory: string, options: PassthroughOptions): Effect.Effect<void, PassthroughError> => {
  if (options.writebackCache !== true || options.kernelPassthrough === false) return Effect.void
  const message =
    "writebackCache needs kernelPassthrough: false: the kernel caches no writes where data can go past this process"
  return Effect.fail(new PassthroughError({ path: directory, message }))
}

/** What is looked at of a directory's root: a descriptor (O_PATH), whose attributes have been noted; or a negative errno. */
const openRoot = (open: () => number): number => {
  const fd = open()
  const status = fd < 0 ? fd : files.fs_stat(fd)
  if (fd >= 0 && status < 0) files.fs_close(fd)
  return status < 0 ? status : fd
}

/** The nodes, registrations and open files of one isolate alone, or of one that shares them. */
const makeTables = (
  rootFd: number,
  attributes: Attributes,
  cached: number,
  share: SharedFiles | undefined,
  connection: () => BackendConnection | undefined
): Pick<Served, "nodes" | "backings" | "opened" | "listings"> => {
  const identity = attributes.identity()
  if (share === undefined) {
    const backings = makeBackings(connection)
    const nodes = makeNodes(rootFd, identity, attributes, cached, backings.letGo)
    return { nodes, backings, opened: makeOpenFiles(nodes, attributes), listings: makeListings() }
  }
  const backings = makeSharedBackings(share, connection)
  const nodes = makeSharedNodes(share, rootFd, identity, attributes, cached, backings.letGo, (id) =>
    connection()?.closeBacking(id)
  )
  return { nodes, backings, opened: makeSharedOpenFiles(share, nodes, attributes), listings: makeSharedListings(share) }
}

/** Where an isolate begins: how it opens the root, and its share of what the others have. */
interface Start {
  readonly directory: string
  readonly options: PassthroughOptions
  readonly openRoot: () => number
  /** Asked when the root has been looked at; undefined for what is one isolate's alone. */
  readonly share: () => SharedFiles | number | undefined
  /** What another isolate needs to serve the same. */
  readonly offer: (rootFd: number, share: SharedFiles) => SharedBackend | undefined
  /** Whether it is one of several that serve, and the kernel's FORGETs come to another. */
  readonly isBeside: boolean
  /** Descriptors held for files that are not open. */
  readonly cached: number
}

/** Where no id is another one outside, the addon answers what every path is made of by itself. */
const answered = (backend: PassthroughBackend, served: Served, share: SharedFiles): PassthroughBackend => {
  const { attrValid, entryValid, negativeValid, options } = served
  if (options.uids !== undefined || options.gids !== undefined) return backend
  const absent = negativeValid ?? { sec: -1, nsec: 0 }
  const valid = [entryValid, attrValid, absent].flatMap(({ nsec, sec }) => [Number(sec), nsec])
  const covered = coveredPlaces.map(({ name }) => Buffer.concat([Buffer.from(name), Buffer.of(0)]))
  const answerer = share.answerer(Float64Array.from(valid), Buffer.concat(covered), byKernelBit, madeBit)
  return typeof answerer === "number" ? backend : answeredBy(backend, answerer)
}

const offered = (backend: PassthroughBackend, shared: SharedBackend | undefined): PassthroughBackend =>
  shared === undefined ? backend : servedByIsolates(backend, shared)

const acquire = ({
  cached,
  directory,
  isBeside,
  offer,
  openRoot: open,
  options,
  share: takeShare
}: Start): Effect.Effect<PassthroughBackend, PassthroughError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkTogether(directory, options)
    const uids = makeIdMap(options.uids)
    const gids = makeIdMap(options.gids)
    let rootDevice = 0
    const attributes: Attributes = makeAttributes(() => rootDevice, uids, gids)
    const rootFd = openRoot(open)
    if (rootFd < 0) return yield* fail(directory, rootFd)
    rootDevice = attributes.device()
    const share = takeShare()
    if (typeof share === "number") {
      files.fs_close(rootFd)
      return yield* fail(directory, share)
    }
    const limits = descriptorLimits(cached)
    const tables = makeTables(rootFd, attributes, limits.cached, share, () => served.connection)
    const served: Served = {
      options,
      ...tables,
      attributes,
      caller: makeCaller(uids, gids),
      uids,
      gids,
      creationMode: makeCreationMode(),
      entryValid: timespec(options.entryTimeout ?? 1),
      attrValid: timespec(options.attrTimeout ?? 1),
      negativeValid:
        options.negativeTimeout === undefined || options.negativeTimeout === 0
          ? undefined
          : timespec(options.negativeTimeout),
      limits,
      room: makeRoom(limits, tables.nodes),
      connection: undefined,
      negotiated: undefined
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        served.opened.close()
        served.listings.close()
        served.nodes.close()
      })
    )
    const openFlags = makeOpenFlags(served)
    const backend: Backend = {
      capabilities: {
        // What the kernel writes by itself it must also clear set-user-ID for.
        handleKillprivV2: options.kernelPassthrough === false,
        createSuppGroup: true,
        allowIdmap: true,
        dontMask: true,
        posixAcl: options.xattrs !== false,
        passthrough: options.kernelPassthrough !== false,
        writebackCache: options.writebackCache === true,
        spliceRead: options.spliceRead === true
      },
      // They wait for leases that other programs hold; everything else is answered at once, or runs to its end.
      interruptible: ["open", "setattr"],
      init: (negotiated, connection) =>
        Effect.suspend(() => {
          served.negotiated = negotiated
          served.connection = connection
          const { directories, files: ofFiles } = connection.atime
          if (directories !== "strictatime" && ofFiles !== "strictatime") return Effect.void
          return Effect.andThen(
            Effect.logError(
              `${directory}: strictatime: reads are marked as the filesystem underneath is mounted; mount that with strictatime`
            ),
            Errno.ENOTSUP
          )
        }),
      pathOf: (nodeid) => {
        const node = served.nodes.get(nodeid)
        const path = node && served.nodes.pathOf(node)
        return path && nameFromBytes(path)
      },
      ...nameOperations(served),
      ...attributeOperations(served),
      ...(options.xattrs === false ? {} : xattrOperations(served)),
      ...openOperations(served, openFlags),
      ...directoryOperations(served, openFlags),
      ...dataOperations(served)
    }
    const made: PassthroughBackend = {
      ...(options.readOnly === true ? readOnly(backend) : backend),
      ...(share === undefined ? {} : { forgotten: served.nodes.dropForgotten }),
      descriptors: served.nodes.held,
      invariants: served.nodes.invariants
    }
    return share === undefined ? made : isBeside ? answered(made, served, share) : offered(made, offer(rootFd, share))
  })

/**
 * Serves a directory, with all that is in it, for as long as the scope lasts. Nothing outside of it is reached:
 * every name is looked up in a directory that is open, by itself, and no symlink is followed. As root, new files
 * are their callers'. Other programs may change the directory meanwhile; mount it with `default_permissions`.
 * Throws a TypeError for an option that is not there, or has a value that it cannot have.
 */
export const passthrough = (
  directory: string,
  options: PassthroughOptions = {}
): Effect.Effect<PassthroughBackend, PassthroughError, Scope.Scope> => {
  checkPath("passthrough", directory)
  checkOptions("passthrough", options, passthroughChecks)
  const cached = options.maxDescriptors ?? defaultDescriptors
  return acquire({
    directory,
    options,
    openRoot: () => openServed(directory),
    share: () => (options.shared === true ? attachFiles() : undefined),
    offer: (rootFd, share) =>
      isolateModule === undefined
        ? undefined
        : { module: isolateModule, data: { directory, options, rootFd, files: share.number } },
    isBeside: false,
    cached
  })
}

/** What `passthrough` gives to the isolates that serve beside it: plain data. */
interface PassthroughShare {
  readonly directory: string
  readonly options: PassthroughOptions
  /** A descriptor (O_PATH) of the root, of this process. */
  readonly rootFd: number
  /** The number of the files (`SharedFiles`). */
  readonly files: number
}

/** Serves, in another isolate of the process, the directory that is served with `shared`. */
export const passthroughBeside = ({
  directory,
  files: number,
  options,
  rootFd
}: PassthroughShare): Effect.Effect<PassthroughBackend, PassthroughError, Scope.Scope> =>
  acquire({
    directory,
    options,
    openRoot: () => files.fs_duplicate(rootFd),
    share: () => attachFiles(number),
    offer: () => undefined,
    isBeside: true,
    // Each CPU's isolate has some.
    cached: Math.max(
      Math.floor((options.maxDescriptors ?? defaultDescriptors) / availableParallelism()),
      fewDescriptors
    )
  })
