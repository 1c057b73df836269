/**
 * A worker process: serves one mount's device, which it inherits from the keeper as descriptor 4.
 *
 * It loads its code at once, but opens the backend and reads the device only when it is told to: when no
 * other process does. Its end, however it comes, leaves the connection to the next worker.
 */
import {
  atimePolicy,
  type AsyncBackend,
  type BackendSource,
  logToStderr,
  observe,
  Session,
  wireLog,
  withinRequestLimit
} from "@bickford/session"
import { patientTimeoutOption } from "@bickford/supervisor"
import { coverPlace, frameCapacityFor, fromFd, makeDeviceTransport, ownDevice } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { closeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import type { MountConfig } from "../config/DaemonConfig.ts"
import { type ParsedOptions, parseMountOptions } from "../options/mountOptions.ts"
import { backendFor } from "../sources/backendFor.ts"
import { isParsed, parseSource, sourceOf } from "../sources/index.ts"
import { ignoreStrayedSignals } from "../strayedSignals.ts"
import { makeCallWatchers } from "./callWatchers.ts"
import { actOnDemand } from "./actOnDemand.ts"
import { makeCounters } from "./counters.ts"
import { heldBy } from "./heldBy.ts"
import type { Covered, Trial } from "./messages.ts"
import { openOnce } from "./openOnce.ts"
import { makeSlowCalls } from "./slowCalls.ts"
import { watchTree } from "./watchTree.ts"
import { heard, isOrphan, listen, orphaned, say, sayForSure } from "./wire.ts"

const device = 4
/** What the mount covers, where the keeper knows it. */
const underneath = 5

/** How long what was read may take to be answered, in a drain. The rest is delivered again to the next worker. */
const patience = "2 seconds"

/** How much of a text the keeper is sent (UTF-16 units): as JSON, six bytes each at the most, it fits a line of the channel. */
const textLimit = 2 ** 16

/** The keeper learns what kind of backend it is before a request can be lost with it. */
const announced = (source: BackendSource): Effect.Effect<AsyncBackend, unknown, Scope.Scope> =>
  Effect.tap(Effect.isEffect(source) ? source : Effect.succeed(source), (backend) =>
    sayForSure({ type: "reading", durable: backend.durable === true })
  )

/** Reads no more, and waits until what was read is answered. */
const drain = ({ connection, supervisor }: Session.Session): Effect.Effect<void> =>
  Effect.ignore(supervisor.terminateChild("transport")).pipe(
    Effect.andThen(
      Effect.callback<void>((resume) => {
        const cancel = connection.inFlight.whenEmpty(() => resume(Effect.void))
        return Effect.sync(cancel)
      })
    ),
    patientTimeoutOption(patience),
    Effect.asVoid
  )

/** Sends the wire log while somebody wants it. What the channel cannot take at once is not sent. */
const logOnDemand = (session: Session.Session): void => {
  let scope: Scope.Closeable | undefined
  listen((message) => {
    if (message.type !== "log" || message.on === (scope !== undefined)) return
    if (scope !== undefined) {
      Effect.runFork(Scope.close(scope, Exit.void))
      scope = undefined
      return
    }
    scope = Scope.makeUnsafe()
    let pending = 0
    const write = (line: string) => {
      if (pending >= 1000 || isOrphan()) return
      pending++
      say({ type: "line", line: line.slice(0, textLimit) }, () => pending--)
    }
    Effect.runFork(Scope.provide(wireLog(session.connection, write), scope))
  })
}

/** Sends records of calls while somebody wants them. */
const watchOnDemand = (session: Session.Session): void => {
  const watchers = makeCallWatchers(
    session,
    (message, done) => {
      if (!isOrphan()) say(message, done)
    },
    textLimit
  )
  listen((message) => {
    if (message.type === "watch") watchers.watch(message.watcher, message.filter)
  })
}

interface Prepared {
  readonly options: ParsedOptions
  readonly source: BackendSource
}

/** Made once: a person's module may make a backend in a function, which is called no more than it must be. */
let prepared: Prepared | undefined

const prepare = Effect.fnUntraced(function* (mount: MountConfig) {
  if (prepared !== undefined) return prepared
  const { kind } = yield* sourceOf(mount.source)
  const options = yield* Effect.fromResult(parseMountOptions(mount.options, kind))
  const made: Prepared = { options, source: yield* backendFor(mount.source, options) }
  prepared = made
  return made
})

let isCovered = false

/** Notes what the mount covers, once: what lies there is reached past it, in a trial as in the serving that follows. */
const cover = ({ device: served, known, mountpoint }: Covered): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    if (isCovered) return Effect.void
    isCovered = true
    return Effect.andThen(ownDevice(served), coverPlace(mountpoint, known ? underneath : -1))
  })

/** Finds out whether the mount could be served, and leaves nothing open. */
const rehearse = Effect.fnUntraced(function* (mount: MountConfig, how: Trial, covered: Covered | undefined) {
  if (covered !== undefined) yield* cover(covered)
  const { kind, path } = yield* sourceOf(mount.source)
  // Its lock is with the worker that serves it.
  if (how === "load" && kind.tryLocked !== undefined) return yield* kind.tryLocked(path)
  const { options, source } = yield* prepare(mount)
  if (how === "open") yield* openOnce(source, { ...options.session, atime: atimePolicy(options.mount) })
})

const trials = Effect.forever(
  Effect.flatMap(heard("try"), ({ covered, how, mount }) =>
    Effect.andThen(rehearse(mount, how, covered), sayForSure({ type: "tried" }))
  )
)

const serve = Effect.fnUntraced(function* (attend: (session: Session.Session) => void) {
  const { covered, mount, resume } = yield* Effect.raceFirst(heard("serve"), trials)
  yield* cover(covered)
  const { options, source } = yield* prepare(mount)
  const asked = yield* withinRequestLimit(options.session)
  // What an earlier worker agreed on holds, though the limit or the options have changed since.
  const maxWrite = Math.max(asked.maxWrite ?? 0, resume?.negotiated?.maxWrite ?? 0)
  // A ring ends with its process; the device is handed on, with the calls that wait.
  if (options.mount.threads !== undefined)
    yield* Effect.logInfo(
      "max_threads: a mount of the daemon is served by /dev/fuse, where its next worker finds its calls"
    )
  if (options.mount.syncInit === true)
    yield* Effect.logInfo("sync_init: a mount of the daemon is there before its worker, which may be replaced")
  const transport = yield* makeDeviceTransport(yield* fromFd(device), { frameCapacity: frameCapacityFor(maxWrite) })
  closeSync(device)
  const slowCalls = makeSlowCalls(mount, {
    slow: (call) => say({ type: "slow", call }),
    stuck: (calls) => say({ type: "stuck", calls })
  })
  const counters = makeCounters(slowCalls.listener)
  let served: Session.Session | undefined
  const beat = () => say({ type: "beat", numbers: counters.numbers(heldBy(served)) })
  yield* Effect.acquireRelease(
    Effect.sync(() => setInterval(beat, Math.min(1000, mount.heartbeat / 4))),
    (timer) => Effect.sync(() => clearInterval(timer))
  )
  const session = yield* Session.make(transport, announced(source), {
    allowIdmap: options.mount.defaultPermissions !== false,
    ...asked,
    atime: atimePolicy(options.mount),
    resume,
    onNegotiated: (record) => sayForSure({ type: "negotiated", record })
  })
  served = session
  attend(session)
  yield* observe(session.connection, counters.observer)
  yield* slowCalls.watch(session.connection, counters.ageOf)
  logOnDemand(session)
  watchOnDemand(session)
  yield* watchTree(session.supervisor, {
    tree: (tree) => say({ type: "tree", tree }),
    event: (event) => say({ type: "treeEvent", event })
  })
  actOnDemand(session)
  yield* Effect.forkScoped(
    Effect.andThen(
      session.negotiated,
      Effect.sync(() => say({ type: "serving" }))
    )
  )
  const end = yield* session.awaitEnd
  if (end.reason === "failed") return yield* Effect.failCause(end.cause)
  beat()
  yield* sayForSure({ type: "ended", reason: end.reason })
})

const program = Effect.suspend(() => {
  let session: Session.Session | undefined
  const leave = Effect.raceFirst(heard("drain"), orphaned).pipe(
    Effect.andThen(Effect.suspend(() => (session === undefined ? Effect.void : drain(session)))),
    // Nothing is closed in order: `destroy` is not for a connection that goes on.
    Effect.andThen(Effect.sync(() => process.exit(0)))
  )
  return Effect.raceFirst(Effect.scoped(serve((made) => void (session = made))), leave)
})

const messageOf = (error: unknown): string =>
  (typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)).slice(
    0,
    textLimit
  )

// What a person's module throws out of turn ends the process; the keeper is to know why.
process.on("uncaughtExceptionMonitor", (error) => say({ type: "failed", message: messageOf(error) }))

// Who read what is logged may be gone.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

// A terminal's Ctrl-C reaches workers as well; when to stop is the keeper's to say.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
ignoreStrayedSignals()

const reported = program.pipe(
  Effect.annotateLogs("mount", process.argv[2] ?? ""),
  Effect.as(0),
  Effect.catchCause((cause) => Effect.as(sayForSure({ type: "failed", message: messageOf(Cause.squash(cause)) }), 1)),
  Effect.provide(logToStderr)
)

Effect.runFork(reported).addObserver((exit) => process.exit(Exit.isSuccess(exit) ? exit.value : 1))

/** What serves is loaded before there is a call to wait for it: a person's module that is broken replaces nothing. */
const loaded = async (source: string): Promise<void> => {
  const parsed = parseSource(source)
  if (isParsed(parsed)) await parsed.kind.load(parsed.path)
}

loaded(process.argv[3] ?? "").then(
  () => {
    say({ type: "ready" })
    // Now, and not at the exit, which may be a sudden one.
    flushCompileCache()
  },
  (error: unknown) => {
    Effect.runFork(sayForSure({ type: "failed", message: messageOf(error) })).addObserver(() => process.exit(1))
  }
)
