/**
 * The coordinator of several isolates: the session of the isolate that has mounted. It has the device, and so INIT, FORGET, INTERRUPT and
 * the end; the isolates have the queues. See docs/architecture/isolates.md.
 */
import type { Negotiated } from "@bickford/protocol"
import { decodeAs, isDecodeError, opcodeOf, opcodeTable } from "@bickford/protocol/codec"
import * as Supervisor from "@bickford/supervisor"
import { coveredPlaces, machineShares, makeRingMemory, nudgeQueue, type QueueShare } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { SharedBackend } from "../Backend.ts"
import type { Connection } from "../connection/Connection.ts"
import type { IsolateOptions, SessionOptions } from "../SessionOptions.ts"
import { isolateSessionOptions } from "./isolateOptions.ts"
import type { IsolateError, Isolates, IsolatesError } from "./Isolates.ts"
import { type IsolateThread, startIsolate } from "./IsolateThread.ts"
import type { IsolateData, ToIsolate } from "./messages.ts"

/** Milliseconds after which the isolates are told of FORGETs. */
const tellAfter = 1000

/**
 * A thread that dies at once, over and over, is given up on after about 5 seconds. A CPU's callers wait for the delay and for the start of
 * a thread, half a second: a longer delay would be most of what they notice.
 */
const restartsEach = 6
const restartsWithin = "20 seconds"
const backoff: Supervisor.BackoffPolicy = {
  initial: "10 millis",
  max: "250 millis",
  factor: 2,
  resetAfter: "5 seconds"
}

interface Serving {
  readonly connection: Connection
  readonly options: SessionOptions
  readonly isolates: IsolateOptions
  /** Those that were started, and are told what there is to tell. */
  readonly live: Set<IsolateThread>
  /** Started already, for the next that dies: callers do not wait until its modules are loaded. */
  spare: IsolateThread | undefined
  /** Those of them that have registered their queues. */
  readonly ready: Set<IsolateThread>
}

/** What an isolate is told at its start. */
const dataFor = (
  { connection, isolates, options }: Serving,
  share: QueueShare,
  memory: number,
  negotiated: Negotiated
): IsolateData => ({
  connection: { id: connection.id, negotiated },
  atime: connection.atime,
  options: isolateSessionOptions(options),
  device: connection.transport.rings?.device() ?? -1,
  mounted: isolates.device,
  covered: coveredPlaces.map((place) => ({ ...place })),
  cpus: share.cpus,
  queues: share.queues,
  memory
})

/** The spare, or a new thread where there is none. */
const takeThread = (serving: Serving, { data, module }: SharedBackend): IsolateThread => {
  const { spare } = serving
  serving.spare = undefined
  return spare ?? startIsolate({ module, data })
}

/** Has a spare, unless there is one. */
const keepSpare = (serving: Serving, { data, module }: SharedBackend): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (serving.spare !== undefined) return Effect.void
    const spare = startIsolate({ module, data })
    serving.spare = spare
    const forget = Effect.sync(() => {
      if (serving.spare === spare) serving.spare = undefined
    })
    return Effect.asVoid(Effect.forkDetach(Effect.andThen(Effect.exit(spare.ended), forget)))
  })

/**
 * One isolate, as a child: `first` was started before, with the others. `isSuccessor`: it is not the first ever on its queues, so that
 * requests may have come to them while nobody served.
 */
const isolateChild = (
  serving: Serving,
  { cpus }: QueueShare,
  shared: SharedBackend,
  data: IsolateData,
  first: IsolateThread,
  isSuccessor: boolean
): Supervisor.ChildSpec<IsolateError, never> => {
  const { isolates, live, ready } = serving
  let waiting: IsolateThread | undefined = first
  let current = first
  return {
    id: `cpu${cpus.join(",")}`,
    init: Effect.gen(function* () {
      const isFirst = waiting !== undefined
      current = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const thread = waiting ?? takeThread(serving, shared)
          if (waiting === undefined) thread.serve(data)
          waiting = undefined
          live.add(thread)
          return thread
        }),
        (thread) =>
          Effect.andThen(
            Effect.sync(() => {
              live.delete(thread)
              ready.delete(thread)
            }),
            thread.stop
          )
      )
      yield* current.ready
      ready.add(current)
      if (isFirst && !isSuccessor) return
      if (!isFirst) yield* Effect.logWarning(`the isolate of CPU ${cpus.join(", ")} was started again`)
      // What waited in the queues meanwhile is looked at when a request comes there.
      for (const cpu of cpus) yield* Effect.forkDetach(nudgeQueue(cpu, isolates.mountpoint))
      if (!isFirst) yield* keepSpare(serving, shared)
    }),
    start: Effect.suspend(() => current.ended),
    shutdown: "infinity"
  }
}

/** Starts all, and supervises them until they are given up on. `onReady`: when all serve. `again`: others served before them. */
const superviseAll = (
  serving: Serving,
  shares: ReadonlyArray<QueueShare>,
  memories: ReadonlyArray<number>,
  negotiated: Negotiated,
  shared: SharedBackend,
  onReady: Effect.Effect<void>,
  again: boolean
): Effect.Effect<void, IsolatesError, Scope.Scope> =>
  Effect.gen(function* () {
    const each = shares.map((share, index) => dataFor(serving, share, memories[index] ?? 0, negotiated))
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        const { spare } = serving
        serving.spare = undefined
        return spare?.stop ?? Effect.void
      })
    )
    // Together: the kernel keeps callers waiting until all have registered.
    const first = yield* Effect.acquireRelease(
      Effect.sync(() =>
        each.map((data) => {
          const thread = takeThread(serving, shared)
          thread.serve(data)
          return thread
        })
      ),
      (threads) => Effect.forEach(threads, ({ stop }) => stop, { concurrency: "unbounded", discard: true })
    )
    const supervisor = yield* Supervisor.make(
      {
        id: "isolates",
        strategy: "one_for_one",
        maxRestarts: serving.options.maxRestarts ?? restartsEach * shares.length,
        maxSeconds: serving.options.maxSeconds ?? restartsWithin,
        backoff
      },
      shares.flatMap((share, index) => {
        const [data, thread] = [each[index], first[index]]
        return data === undefined || thread === undefined
          ? []
          : [isolateChild(serving, share, shared, data, thread, again)]
      })
    )
    yield* onReady
    yield* keepSpare(serving, shared)
    yield* supervisor.await
  })

/** Tells the isolates, a while after the first of them, that there were FORGETs. */
const makeForgetTeller = (send: (message: ToIsolate) => void) => {
  let timer: NodeJS.Timeout | undefined
  return (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      send({ type: "forgotten" })
    }, tellAfter).unref()
  }
}

/**
 * The isolates of a connection whose options and transport allow for them; undefined for others. They are no more than planned
 * until `begin`. The memory of their entries lasts as long as `scope`.
 */
export const makeIsolates = (
  connection: Connection,
  options: SessionOptions,
  scope: Scope.Scope
): Isolates | undefined => {
  const { isolates } = options
  const { rings } = connection.transport
  if (isolates === undefined || rings === undefined) return undefined
  const shares = machineShares(isolates.threads)
  if (shares.length < 2) return undefined
  const begun = Deferred.makeUnsafe<Negotiated>()
  const serve = Deferred.makeUnsafe<void, IsolatesError>()
  const serving: Serving = { connection, options, isolates, live: new Set(), ready: new Set(), spare: undefined }
  let memories: ReadonlyArray<number> | undefined
  const send = (message: ToIsolate): void => {
    for (const thread of serving.live) thread.send(message)
  }
  const tellOfForgets = makeForgetTeller(send)
  const isServing = (): boolean => Deferred.isDoneUnsafe(serve)

  const makeMemories = (negotiated: Negotiated) =>
    Effect.suspend(() =>
      memories === undefined
        ? Effect.tap(
            Scope.provide(
              Effect.forEach(shares, ({ queues }) => makeRingMemory(queues.length, negotiated)),
              scope
            ),
            (made) => Effect.sync(() => (memories = made))
          )
        : Effect.succeed(memories)
    )

  const run = Effect.gen(function* () {
    const negotiated = yield* Deferred.await(begun)
    const shared = connection.backend?.shared
    // They were to serve, and could not: this isolate does.
    if (connection.negotiated?.overIoUring === false || shared === undefined) return yield* Effect.never
    connection.nodes.countElsewhere()
    connection.handles.countElsewhere()
    const onReady = Effect.sync(() => Deferred.doneUnsafe(serve, Exit.void))
    yield* superviseAll(serving, shares, yield* makeMemories(negotiated), negotiated, shared, onReady, isServing())
  })

  return {
    count: shares.length,
    hasSpare: () => serving.spare?.isLoaded() === true,
    serving: () => (isServing() ? serving.ready.size : 0),
    areWanted: () => connection.backend?.shared !== undefined && connection.observer === undefined,
    begin: (negotiated) =>
      Effect.suspend(() => {
        Deferred.doneUnsafe(begun, Exit.succeed(negotiated))
        return Deferred.await(serve)
      }),
    sees: (slot) => {
      if (!isServing()) return
      const row = opcodeTable[opcodeOf(slot)]
      if (row?.op === "forget" || row?.op === "batchForget") tellOfForgets()
      if (row?.op !== "interrupt") return
      const request = decodeAs(row, slot, connection.negotiated)
      if (!isDecodeError(request) && request.op === "interrupt") send({ type: "interrupt", target: request.target })
    },
    child: {
      id: "isolates",
      type: "supervisor",
      start: Effect.scoped(
        Effect.catch(run, (error) => {
          if (isServing()) return Effect.fail(error)
          // The handshake goes on without them.
          Deferred.doneUnsafe(serve, Exit.fail(error))
          return Effect.never
        })
      )
    }
  }
}
