/** A directory of the machine's own. */
import { errnoNumbers, type Name, nameFromBytes, type U64 } from "@bickford/protocol"
import { type Backend, Errno, errnoError } from "@bickford/session"
import { checkOptions, checkPath } from "../checkOptions.ts"
import { files } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
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
import type { Listing } from "./listing.ts"
import { nameOperations } from "./nameOperations.ts"
import { makeNodes, type Nodes } from "./nodes.ts"
import { makeOpenFlags } from "./openFlags.ts"
import { openOperations } from "./openOperations.ts"
import { makeOpenFiles } from "./openFiles.ts"
import { passthroughChecks, type PassthroughOptions } from "./options.ts"
import type { Served } from "./served.ts"
import { makeTable } from "./table.ts"
import { pathTo } from "./wayTo.ts"
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

const why = (status: number): string =>
  status === -errnoNumbers.EDEADLK
    ? "it lies at or below its own mountpoint, and was not opened before that was mounted; mount it elsewhere"
    : errnoError(-status).message

const fail = (path: string, status: number): Effect.Effect<never, PassthroughError> =>
  Effect.fail(new PassthroughError({ path, message: `${path}: cannot be served: ${why(status)}` }))

/** The paths of nodes within the mount. */
const makePathOf =
  (nodes: Nodes) =>
  (nodeid: U64): Name | undefined => {
    const node = nodes.get(nodeid)
    const path = node && pathTo(nodes.root, node)
    return path && nameFromBytes(path)
  }

const acquire = (
  directory: string,
  options: PassthroughOptions
): Effect.Effect<PassthroughBackend, PassthroughError, Scope.Scope> =>
  Effect.gen(function* () {
    if (options.writebackCache === true && options.kernelPassthrough !== false) {
      const message =
        "writebackCache needs kernelPassthrough: false: the kernel caches no writes where data can go past this process"
      return yield* Effect.fail(new PassthroughError({ path: directory, message }))
    }
    const uids = makeIdMap(options.uids)
    const gids = makeIdMap(options.gids)
    let rootDevice = 0
    const attributes: Attributes = makeAttributes(() => rootDevice, uids, gids)
    const rootFd = openServed(directory)
    if (rootFd < 0) return yield* fail(directory, rootFd)
    const status = files.fs_stat(rootFd)
    if (status < 0) {
      files.fs_close(rootFd)
      return yield* fail(directory, status)
    }
    const identity = attributes.identity()
    rootDevice = identity.device
    const limits = descriptorLimits(options.maxDescriptors ?? 256)
    const backings = makeBackings(() => served.connection)
    const nodes = makeNodes(rootFd, identity, attributes, limits.cached, backings.letGo)
    const served: Served = {
      options,
      nodes,
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
      backings,
      limits,
      room: makeRoom(limits, nodes),
      opened: makeOpenFiles(nodes, attributes),
      listings: makeTable<Listing>(),
      connection: undefined,
      negotiated: undefined
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        served.opened.close()
        for (const listing of served.listings.values()) listing.close()
        nodes.close()
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
      pathOf: makePathOf(nodes),
      ...nameOperations(served),
      ...attributeOperations(served),
      ...(options.xattrs === false ? {} : xattrOperations(served)),
      ...openOperations(served, openFlags),
      ...directoryOperations(served, openFlags),
      ...dataOperations(served)
    }
    return {
      ...(options.readOnly === true ? readOnly(backend) : backend),
      descriptors: nodes.held,
      invariants: nodes.invariants
    }
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
  return acquire(directory, options)
}
