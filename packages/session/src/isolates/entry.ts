/** One of several isolates that serve a mount: imports the backend's module, and serves some of the connection's queues. */
import { coverPlace, fromFd, isolateThreadName, makeQueueTransport, ownDevice, pinThread } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { parentPort, workerData } from "node:worker_threads"
import { type Connection, makeConnection } from "../connection/Connection.ts"
import { errnoError } from "../errno.ts"
import { loadBackend } from "../loadBackend.ts"
import { logToStderr } from "../observe/logging.ts"
import { type BackendSource, makeOver, type Session } from "../Session.ts"
import { plainError } from "../worker/plainError.ts"
import type { FromIsolate, IsolateData, IsolateStart, ToIsolate } from "./messages.ts"

const port = parentPort
if (port === null) throw new Error("this is the entry of a worker thread")

const say = (message: FromIsolate): void => port.postMessage(message)

// The thread starts with what the coordinator gave it.
const { data, module } = workerData as IsolateStart

/** Milliseconds after which an INTERRUPT is looked for once more: it comes another way than its request, and may be first. */
const lateBy = 5

const interrupt = (connection: Connection, target: Extract<ToIsolate, { type: "interrupt" }>["target"]): void => {
  const apply = (): boolean => connection.dispatcher?.interrupt(target) ?? false
  if (!apply()) setTimeout(apply, lateBy).unref()
}

const begun = Deferred.makeUnsafe<IsolateData>()
const stopped = Deferred.makeUnsafe<void>()
let connection: Connection | undefined

port.on("message", (message: ToIsolate) => {
  switch (message.type) {
    case "serve":
      Deferred.doneUnsafe(begun, Exit.succeed(message.data))
      break
    case "stop":
      Deferred.doneUnsafe(stopped, Exit.void)
      break
    case "interrupt":
      if (connection !== undefined) interrupt(connection, message.target)
      break
    case "forgotten":
      connection?.backend?.forgotten?.()
  }
})

/** By its name the thread is known in a debugger, and where the kernel lists threads. */
const nameThread = ({ cpus, mounted }: IsolateData): void => {
  if (mounted === undefined) return
  try {
    writeFileSync("/proc/thread-self/comm", isolateThreadName(mounted, cpus[0] ?? 0))
  } catch {
    // Without /proc it has the name that it was started with.
  }
}

/** What paths and descriptors of this process lead into the mount itself: calls there would wait for this process. */
const noteMounts = Effect.fnUntraced(function* (given: IsolateData) {
  if (given.mounted !== undefined) yield* ownDevice(given.mounted)
  for (const { mountpoint, underneath } of given.covered) yield* coverPlace(mountpoint, underneath)
})

const serve = Effect.fnUntraced(function* (given: IsolateData, source: BackendSource) {
  yield* pinThread(given.cpus)
  nameThread(given)
  yield* noteMounts(given)
  const handle = yield* fromFd(given.device)
  const transport = yield* makeQueueTransport(handle, { queues: given.queues, memory: given.memory })
  const { negotiated } = given.connection
  connection = makeConnection(transport, given.connection, given.atime)
  connection.nodes.countElsewhere()
  connection.handles.countElsewhere()
  const session = yield* makeOver(connection, source, given.options)
  // The backend has started: from here on the kernel may ask.
  const status = transport.rings.start(negotiated)
  if (status < 0) return yield* Effect.fail(errnoError(-status))
  return session
})

const program: Effect.Effect<void, unknown> = Effect.scoped(
  Effect.gen(function* () {
    // Whatever a module does first, it does before callers wait for this thread.
    const source = yield* loadBackend(module, data)
    say({ type: "loaded" })
    const session: Session = yield* serve(yield* Deferred.await(begun), source)
    say({ type: "ready" })
    const end = yield* session.awaitEnd
    if (end.reason === "failed") return yield* Effect.failCause(end.cause)
  }) satisfies Effect.Effect<void, unknown, Scope.Scope>
)

const reported = Effect.raceFirst(program, Deferred.await(stopped)).pipe(
  Effect.catchCause((cause) => Effect.sync(() => say({ type: "failed", error: plainError(Cause.squash(cause)) }))),
  Effect.provide(logToStderr)
)

Effect.runFork(reported).addObserver(() => port.close())
