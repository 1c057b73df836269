/**
 * One backend, served to several connections at once: a mount, and the program itself.
 *
 * Operations go to the backend one by one, whichever connection they come by, so there is one order of them. What a
 * connection changes the kernels of the others are told of, since they trust what they have cached.
 */
import {
  changedNames,
  type DirentPlus,
  errnoNumbers,
  operations,
  type Request,
  setattrValid,
  type U64
} from "@bickford/protocol"
import {
  type AsyncBackend,
  type Backend,
  type BackendConnection,
  effectOf,
  Errno,
  type ErrnoError,
  InsideOperation,
  type Notify,
  type RequestContext
} from "@bickford/session"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { changesOf, type PathChange } from "./changes.ts"
import { type AnyOperation, mapAnswer, mapOperations, operationOf } from "./operations.ts"

/** How a connection is served. */
export interface ViewOptions {
  /** Its other side keeps nothing, and need not be told of changes: a program that calls, not a kernel. */
  readonly uncached?: boolean
  /**
   * Whether a change is answered only once the other connections' kernels know of it; asked at each call, by default never.
   * Only for callers that hold nothing which a kernel may wait for: two kernels would wait for each other.
   */
  readonly waits?: () => boolean
}

/** A backend that several connections share. */
export interface SharedBackend {
  /**
   * The backend for one more connection. A durable one serves one kernel at a time. `destroy` is called with `end`, not when
   * a connection ends.
   */
  readonly view: (options?: ViewOptions) => Backend
  /**
   * Calls `listener` after each change, by whichever connection it came, before the connection has its answer; returns how to end that.
   * Undefined where the backend does not know its nodes' paths (`pathOf`).
   */
  readonly watch: ((listener: (change: PathChange) => void) => () => void) | undefined
  /** Calls the backend's `destroy`, once no connection is left. */
  readonly end: Effect.Effect<void>
}

type Sent = Effect.Effect<void, ErrnoError>

const { ENOTSUP } = errnoNumbers
const rootId = 1

/** How often all connections together hold each node. */
class Holds {
  readonly #counts = new Map<U64, number>()

  add(nodeid: U64): void {
    if (nodeid !== 0 && nodeid !== rootId) this.#counts.set(nodeid, this.count(nodeid) + 1)
  }

  count(nodeid: U64): number {
    return this.#counts.get(nodeid) ?? 0
  }

  /** Gives `nlookup` back; what is left. */
  take(nodeid: U64, nlookup: number): number {
    const left = Math.max(0, this.count(nodeid) - nlookup)
    if (left === 0) this.#counts.delete(nodeid)
    else this.#counts.set(nodeid, left)
    return left
  }
}

/** Counts an entry once the next is asked for: one that does not fit into the reply is dropped. */
function* counted(entries: Iterable<DirentPlus>, holds: Holds): Generator<DirentPlus, void, undefined> {
  for (const entry of entries) {
    yield entry
    if (entry.entry !== undefined && entry.name !== "." && entry.name !== "..") holds.add(entry.entry.nodeid)
  }
}

/** Counts the lookups that an answer hands out. */
const count = (op: Request["op"], value: unknown, holds: Holds): unknown => {
  // The table pairs each operation with its kind of reply.
  switch (operations[op].reply) {
    case "found":
    case "entry":
      holds.add((value as { readonly nodeid: U64 }).nodeid)
      return value
    case "created":
      holds.add((value as { readonly entry: { readonly nodeid: U64 } }).entry.nodeid)
      return value
    case "listingPlus":
      return counted(value as Iterable<DirentPlus>, holds)
    default:
      return value
  }
}

/** What a kernel is told of a change that another connection made; `victims`: nodes that had the names before. */
const tell = (request: Request, victims: ReadonlyArray<U64>, to: Notify): ReadonlyArray<Sent> => {
  const names = (): ReadonlyArray<Sent> =>
    changedNames(request).flatMap(([directory, name]) => [to.invalEntry(directory, name), to.invalInode(directory)])
  const attributes = (nodeid: U64): Sent => to.invalInode(nodeid, -1)
  switch (request.op) {
    case "write":
      return [to.invalInode(request.nodeid, request.offset, request.size)]
    case "setattr":
      return [
        (request.valid & setattrValid.FATTR_SIZE) === 0 ? attributes(request.nodeid) : to.invalInode(request.nodeid)
      ]
    case "fallocate":
      return [to.invalInode(request.nodeid)]
    case "copyFileRange":
      return [to.invalInode(request.nodeidOut)]
    case "setxattr":
    case "removexattr":
      return [attributes(request.nodeid)]
    case "link":
      return [...names(), attributes(request.oldnodeid)]
    case "rename":
      return [...names(), ...victims.map(attributes)]
    default:
      return [...names(), ...victims.map((nodeid) => to.invalInode(nodeid))]
  }
}

/** A connection that is served. */
interface View {
  readonly uncached: boolean
  readonly waits: () => boolean
  notify: Notify | undefined
}

const each = (sent: ReadonlyArray<Sent>): Effect.Effect<void> =>
  Effect.forEach(sent, (one) => Effect.ignore(one), { discard: true })

/** Notifications of the backend's own, to every kernel. */
const toAll = (kernels: () => ReadonlyArray<Notify>, holds: Holds): Notify => {
  const all = (send: (to: Notify) => Sent): Sent => Effect.suspend(() => each(kernels().map(send)))
  return {
    poll: (kh) => all((to) => to.poll(kh)),
    invalInode: (nodeid, offset, length) =>
      Effect.suspend(() =>
        // Nobody holds it: what a single kernel would answer.
        holds.count(nodeid) === 0 && nodeid !== rootId
          ? Errno.ENOENT
          : all((to) => to.invalInode(nodeid, offset, length))
      ),
    // By the queue: only the kernel whose operation it is may be told from within it.
    dropAttributes: (nodeid) => {
      Effect.runFork(all((to) => to.invalInode(nodeid, -1)))
    },
    invalEntry: (parent, name, options) => all((to) => to.invalEntry(parent, name, options)),
    delete: (parent, child, name) => all((to) => to.delete(parent, child, name)),
    store: (nodeid, offset, data) => all((to) => to.store(nodeid, offset, data)),
    // Whose cache would it be?
    retrieve: () => Errno.ENOSYS,
    resend: () => Errno.ENOSYS,
    incEpoch: () => all((to) => to.incEpoch()),
    prune: (nodeids) => all((to) => to.prune(nodeids))
  }
}

/** What may take from a node the name that the request has. */
const takers: ReadonlySet<Request["op"]> = new Set(["unlink", "rmdir", "create", "rename"])

/** Those who are told of changes by path, whichever connection makes them. */
const makeListeners = (
  backend: AsyncBackend
): { readonly announce: (request: Request) => void; readonly watch: SharedBackend["watch"] } => {
  const listeners = new Set<(change: PathChange) => void>()
  const { pathOf } = backend
  if (pathOf === undefined) return { announce: () => {}, watch: undefined }
  return {
    announce: (request) => {
      if (listeners.size === 0) return
      for (const change of changesOf(request, (nodeid) => pathOf.call(backend, nodeid)))
        for (const listener of listeners) listener(change)
    },
    watch: (listener) => {
      // Each is one of its own, though it be the same function.
      const own = (change: PathChange): void => listener(change)
      listeners.add(own)
      return () => void listeners.delete(own)
    }
  }
}

/** Shares `backend`. Its caches are the kernel's alone no more: nothing is written back late, and files are opened by OPEN. */
export const shareBackend = (backend: AsyncBackend): SharedBackend => {
  const id = randomUUID()
  const holds = new Holds()
  const views = new Set<View>()
  const lookup = operationOf(backend, "lookup")
  const kernels = (but?: View): ReadonlyArray<Notify> =>
    Array.from(views).flatMap((view) =>
      view === but || view.uncached || view.notify === undefined ? [] : [view.notify]
    )
  const notify = toAll(kernels, holds)
  const { announce, watch } = makeListeners(backend)

  /** The nodes that have the names which a request takes away. */
  const victimsOf = (request: Request, context: RequestContext): Effect.Effect<ReadonlyArray<U64>> =>
    Effect.forEach(takers.has(request.op) ? changedNames(request) : [], ([nodeid, name]) => {
      const { gid, pid, uid, unique } = request
      return (
        lookup?.({ op: "lookup", uid, gid, pid, unique, nodeid, name }, context) ?? Effect.succeed(undefined)
      ).pipe(
        Effect.map((found) => {
          const nodeid = typeof found === "object" && found !== null ? (found as { readonly nodeid: U64 }).nodeid : 0
          return nodeid
        }),
        Effect.catch(() => Effect.succeed<U64>(0))
      )
    }).pipe(Effect.map((found) => found.filter((nodeid) => nodeid !== 0 && nodeid !== rootId)))

  const changing = (view: View, operation: AnyOperation): AnyOperation =>
    Effect.fnUntraced(function* (request: Request, context: RequestContext) {
      const others = kernels(view)
      const waits = view.waits()
      const victims = yield* victimsOf(request, context)
      const giveBack = Effect.sync(() => {
        for (const nodeid of victims) backend.forget?.(nodeid, 1, holds.count(nodeid))
      })
      const answer = yield* Effect.ensuring(operation(request, context), giveBack)
      const told = each(others.flatMap((to) => tell(request, victims, to)))
      yield* waits ? Effect.provideService(told, InsideOperation, false) : told
      return answer
    })

  const view = ({ uncached = false, waits = () => false }: ViewOptions = {}): Backend => {
    const own: View = { uncached, waits, notify: undefined }
    const { run: _, ...operated } = mapOperations(backend, (name, operation) => {
      const changed = operations[name].mutates ? changing(own, operation) : operation
      return (request, context) =>
        mapAnswer(kernels(own).length === 0 ? operation(request, context) : changed(request, context), (value) => {
          if (operations[name].mutates) announce(request)
          return count(name, value, holds)
        })
    })
    return {
      ...operated,
      capabilities: {
        ...backend.capabilities,
        writebackCache: false,
        passthrough: false,
        noOpen: false,
        noOpendir: false,
        atomicOTrunc: false,
        spliceRead: false
      },
      init: (negotiated, connection) =>
        Effect.suspend(() => {
          own.notify = connection.notify
          views.add(own)
          const shown: BackendConnection = {
            id,
            notify,
            atime: connection.atime,
            openBacking: () => -ENOTSUP,
            closeBacking: () => -ENOTSUP,
            lendMemory: () => {}
          }
          // What it fails with is an errno, or a defect.
          return effectOf(backend.init?.(negotiated, shown) ?? Effect.void) as Sent
        }),
      forget: (nodeid, nlookup) => backend.forget?.(nodeid, nlookup, holds.take(nodeid, nlookup)),
      destroy: () =>
        Effect.sync(() => {
          views.delete(own)
        })
    }
  }

  return {
    view,
    watch,
    end: Effect.suspend(() => effectOf(backend.destroy?.() ?? Effect.void)).pipe(
      Effect.catchCause((cause) => Effect.logError("the backend's destroy failed", cause))
    )
  }
}
