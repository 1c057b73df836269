/** What a person asks of a session that is served, by way of the keeper. */
import type { U64 } from "@bickford/protocol"
import { logToStderr, type Session } from "@bickford/session"
import * as Effect from "effect/Effect"
import type { KernelNotice } from "./messages.ts"
import { listen } from "./wire.ts"

/** Nodes of one notification. */
const nodesAtOnce = 1000

const prune = ({ connection, notify }: Session.Session): Effect.Effect<void> => {
  const held = Array.from(connection.nodes.entries(), ([nodeid]) => nodeid).filter((nodeid) => nodeid !== 1)
  const parts: Array<ReadonlyArray<U64>> = []
  for (let from = 0; from < held.length; from += nodesAtOnce) parts.push(held.slice(from, from + nodesAtOnce))
  return Effect.forEach(parts, (part) => notify.prune(part), { discard: true }).pipe(
    Effect.catch(({ message }) => Effect.logWarning(`the kernel did not drop its nodes: ${message}`))
  )
}

const tellKernel = (session: Session.Session, what: KernelNotice): Effect.Effect<void> =>
  what === "prune"
    ? prune(session)
    : Effect.catch(session.notify.incEpoch(), ({ message }) =>
        Effect.logWarning(`the kernel took no new epoch: ${message}`)
      )

/** In order, whatever the supervisor's strategy; a child that does not run is only started. */
const restartChild = ({ supervisor }: Session.Session, child: string): Effect.Effect<void> =>
  Effect.ignore(supervisor.terminateChild(child)).pipe(
    Effect.andThen(supervisor.restartChild(child)),
    Effect.catch((error) => Effect.logWarning(`${child} was not started again: ${error.message}`))
  )

/** Interrupts a call, if it is still there. */
const interrupt = ({ connection }: Session.Session, unique: string): void => {
  const waiting = Array.from(connection.inFlight.values()).find(({ request }) => String(request.unique) === unique)
  if (waiting !== undefined) connection.dispatcher?.interrupt(waiting.request.unique)
}

/** What goes wrong is in the log, with the mount's name. */
const run = (effect: Effect.Effect<void>): void =>
  void Effect.runFork(effect.pipe(Effect.annotateLogs("mount", process.argv[2] ?? ""), Effect.provide(logToStderr)))

/** Does what messages ask for, for as long as the worker lives. */
export const actOnDemand = (session: Session.Session): void => {
  listen((message) => {
    switch (message.type) {
      case "killChild":
        session.supervisor.kill(message.child)
        break
      case "restartChild":
        run(restartChild(session, message.child))
        break
      case "interrupt":
        interrupt(session, message.unique)
        break
      case "tellKernel":
        run(tellKernel(session, message.what))
        break
      default:
    }
  })
}
