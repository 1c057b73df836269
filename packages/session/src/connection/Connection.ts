/**
 * One FUSE connection as data: what must outlive the fibers that work on it.
 *
 * The transport, what INIT agreed on, the nodes the kernel holds, the requests in flight. Fibers that
 * work on a connection can die and be started again without the kernel noticing; the connection
 * belongs to the mount's root scope.
 */
import { randomUUID } from "node:crypto"
import type { FrameSink, FrameTransport, Slot, TransportEnd } from "@bickford/transport"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { type AtimePolicy, defaultAtime } from "../atime.ts"
import type { AsyncBackend, BackendConnection } from "../Backend.ts"
import type { Negotiated, U64 } from "@bickford/protocol"
import type { Isolates } from "../isolates/Isolates.ts"
import { makeNotifier, type Notifier } from "../notify/Notifier.ts"
import type { Guard } from "../dispatcher/guard.ts"
import type { Observed } from "../observe/Observer.ts"
import type { ConnectionCounters } from "./counters.ts"
import { InFlightTable } from "./InFlightTable.ts"
import { NodeTable } from "./NodeTable.ts"

export interface Connection extends Observed {
  /** Random, the same for the connection's whole life. */
  readonly id: string
  /** How the mount has times of reading kept. */
  readonly atime: AtimePolicy
  readonly transport: FrameTransport
  readonly nodes: NodeTable
  /** How often each node is open: OPEN, OPENDIR, CREATE and TMPFILE less RELEASE and RELEASEDIR. */
  readonly handles: NodeTable
  readonly inFlight: InFlightTable
  readonly counters: ConnectionCounters
  readonly notifier: Notifier
  /** Undefined until INIT has been answered; then never repeated. */
  negotiated: Negotiated | undefined
  /** The running instance; undefined while it is being (re)started. Changed by `setBackend` only. */
  backend: AsyncBackend | undefined
  /** Called back when `backend` has come or gone. */
  readonly backendWatchers: Set<() => void>
  /** The kernel was told to deliver again what an earlier server had not answered. */
  resumed: boolean
  /** `destroy` has been called on the last backend instance. */
  destroyed: boolean
  /** Why reading ended, once it has; `asked` when it was by closing the session's scope. */
  ended: TransportEnd | "asked" | undefined
  /** Why no agreement was reached: INIT comes once, so there is nothing to try again. */
  failure: Cause.Cause<unknown> | undefined
  /** Who takes frames now; undefined while the dispatcher is being (re)started. */
  dispatcher: RequestSink | undefined
  /** Those that serve the connection's queues, where it is not one isolate. */
  isolates: Isolates | undefined
  /** Takes the INIT request, once. */
  onInit: ((slot: Slot) => void) | undefined
  /** Frames read while nobody could take them. */
  readonly parked: Array<Slot>
  /** The INIT request, read before the session asked for it. */
  parkedInit: Slot | undefined
}

/** Takes frames, and runs the requests in them. */
export interface RequestSink extends FrameSink {
  /** The caller of a request was signalled; false when no such request is being worked on. */
  readonly interrupt: (unique: U64) => boolean
}

/** What a connection can start from: by default, one that nobody has served yet. */
export interface ConnectionState {
  readonly id?: string
  readonly negotiated?: Negotiated
}

export const makeConnection = (
  transport: FrameTransport,
  state: ConnectionState = {},
  atime: AtimePolicy = defaultAtime
): Connection => {
  const connection: Connection = {
    id: state.id ?? randomUUID(),
    atime,
    transport,
    nodes: new NodeTable(),
    handles: new NodeTable(),
    inFlight: new InFlightTable(),
    notifier: makeNotifier(transport, () => connection.negotiated),
    counters: { requests: 0, defects: 0, malformed: 0, passthroughFiles: 0 },
    negotiated: undefined,
    backend: undefined,
    backendWatchers: new Set(),
    resumed: false,
    destroyed: false,
    ended: undefined,
    failure: undefined,
    observer: undefined,
    observers: new Set(),
    dispatcher: undefined,
    isolates: undefined,
    onInit: undefined,
    parked: [],
    parkedInit: undefined
  }
  if (state.negotiated !== undefined) agreeOn(connection, state.negotiated)
  return connection
}

/** What INIT has come to is in force from here on. */
export const agreeOn = (connection: Connection, negotiated: Negotiated): void => {
  connection.negotiated = negotiated
  connection.transport.spliceReplies(negotiated.spliceWrite ? { move: negotiated.spliceMove } : undefined)
  pipeWrites(connection)
}

/** Whether what is written stays in pipes: if that was agreed on, and the backend of the moment takes it from there. */
const pipeWrites = ({ backend, negotiated, transport }: Connection): void =>
  transport.pipeWrites?.(negotiated?.spliceRead === true && backend?.writeBuf !== undefined)

/** A lender that throws has nothing to lend: the data comes in a request's own memory then. */
const guardedLender = (lender: () => Uint8Array | undefined, guard: Guard) => (): Uint8Array | undefined => {
  let lent: Uint8Array | undefined
  guard("lendMemory", () => {
    lent = lender()
  })
  return lent
}

/** The backend's view of the connection. */
export const backendConnection = (connection: Connection, guard: Guard): BackendConnection => ({
  id: connection.id,
  notify: connection.notifier,
  atime: connection.atime,
  openBacking: (descriptor) => {
    const id = connection.transport.openBacking(descriptor)
    if (id > 0) connection.counters.passthroughFiles++
    return id
  },
  closeBacking: (id) => {
    const result = connection.transport.closeBacking(id)
    if (result >= 0) connection.counters.passthroughFiles--
    return result
  },
  lendMemory: (lender) => connection.transport.lendMemory(lender && guardedLender(lender, guard))
})

/** A backend instance has come, or gone. */
export const setBackend = (connection: Connection, backend: AsyncBackend | undefined): void => {
  connection.backend = backend
  // What it lent goes with it.
  if (backend === undefined) connection.transport.lendMemory(undefined)
  pipeWrites(connection)
  connection.transport.rings?.answerBy(backend?.answerer)
  for (const watcher of connection.backendWatchers) watcher()
}

/** Waits until there is a backend, or none. */
export const awaitBackend = (connection: Connection, present: boolean): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const watcher = (): void => {
      if ((connection.backend !== undefined) !== present) return
      connection.backendWatchers.delete(watcher)
      resume(Effect.void)
    }
    connection.backendWatchers.add(watcher)
    watcher()
    return Effect.sync(() => connection.backendWatchers.delete(watcher))
  })

/** Where the read loop delivers: the dispatcher of the moment, or the parking place. */
export const connectionSink = (connection: Connection): FrameSink => ({
  onFrame: (slot) => {
    connection.isolates?.sees(slot)
    const dispatcher = connection.dispatcher
    if (dispatcher === undefined) connection.parked.push(slot)
    else dispatcher.onFrame(slot)
  },
  onBatchEnd: () => connection.dispatcher?.onBatchEnd()
})

/** Makes `dispatcher` the taker of frames, and gives it those that waited. Returns how to take it away again. */
export const attachDispatcher = (connection: Connection, dispatcher: RequestSink): (() => void) => {
  connection.dispatcher = dispatcher
  for (const slot of connection.parked.splice(0)) dispatcher.onFrame(slot)
  dispatcher.onBatchEnd()
  return () => {
    if (connection.dispatcher === dispatcher) connection.dispatcher = undefined
  }
}

/** Hands over the INIT request: to the session when it waits for it, else it is kept. */
export const offerInit = (connection: Connection, slot: Slot): void => {
  const take = connection.onInit
  if (take === undefined) connection.parkedInit = slot
  else {
    connection.onInit = undefined
    take(slot)
  }
}
