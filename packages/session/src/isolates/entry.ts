/** One of several isolates that serve a mount: imports the backend's module, and serves some of the connection's queues. */
import { coverPlace, fromFd, makeQueueTransport, ownDevice, pinThread } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { parentPort, workerData } from "node:worker_threads"
import { type Connection, makeConnection } from "../connection/Connection.ts"
import { errnoError } from "../errno.ts"
import { loadBackend } from "../loadBackend.ts"
import { logToStderr } from "../observe/logging.ts"
import { makeOver, type Session } from "../Session.ts"
import { plainError } from "../worker/plainError.ts"
import type { FromIsolate, IsolateData, ToIsolate } from "./messages.ts"

const port = parentPort
if (port === null) throw new Error("this is the entry of a worker thread")

const say = (message: FromIsolate): void => port.postMessage(message)

// The thread starts with what the coordinator gave it.
const given = workerData as IsolateData

/** Milliseconds after which an INTERRUPT is looked for once more: it comes another way than its request, and may be first. */
const lateBy = 5

const interrupt = (connection: Connection, target: Extract<ToIsolate, { type: "interrupt" }>["target"]): void => {
  const apply = (): boolean => connection.dispatcher?.interrupt(target) ?? false
  if (!apply()) setTimeout(apply, lateBy).unref()
}

/** Does what the coordinator says; ends when it says so. */
const obey = (connection: Connection): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    port.on("message", (message: ToIsolate) => {
      switch (message.type) {
        case "stop":
          resume(Effect.void)
          break
        case "interrupt":
          interrupt(connection, message.target)
          break
        case "forgotten":
          connection.backend?.forgotten?.()
      }
    })
  })

/** What paths and descriptors of this process lead into the mount itself: calls there would wait for this process. */
const noteMounts = Effect.gen(function* () {
  if (given.mounted !== undefined) yield* ownDevice(given.mounted)
  for (const { mountpoint, underneath } of given.covered) yield* coverPlace(mountpoint, underneath)
})

const serve = Effect.gen(function* () {
  // Before the thread is bound to a CPU, which may be busy: callers wait for a successor.
  const source = yield* loadBackend(given.module, given.data)
  yield* pinThread(given.cpus)
  yield* noteMounts
  const handle = yield* fromFd(given.device)
  const transport = yield* makeQueueTransport(handle, { queues: given.queues, memory: given.memory })
  const { negotiated } = given.connection
  const connection = makeConnection(transport, given.connection, given.atime)
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
    const session: Session = yield* serve
    const obeyed = obey(session.connection)
    say({ type: "ready" })
    const gaveUp = Effect.flatMap(session.awaitEnd, (end) =>
      end.reason === "failed" ? Effect.failCause(end.cause) : Effect.void
    )
    yield* Effect.raceFirst(obeyed, gaveUp)
  }) satisfies Effect.Effect<void, unknown, Scope.Scope>
)

const reported = program.pipe(
  Effect.catchCause((cause) => Effect.sync(() => say({ type: "failed", error: plainError(Cause.squash(cause)) }))),
  Effect.provide(logToStderr)
)

Effect.runFork(reported).addObserver(() => port.close())
