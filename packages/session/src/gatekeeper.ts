/**
 * Keeps callers from waiting for ever while the backend is away.
 *
 * While a backend is being restarted nobody reads the connection: new calls wait in the kernel, and are
 * served when it is back. Once that has lasted longer than `grace`, the gatekeeper reads in its place
 * and answers every call EIO, until the backend returns. It comes first in the tree, so no restart
 * touches it.
 */
import type { FrameSink } from "@bickford/transport"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { awaitBackend, type Connection } from "./connection/Connection.ts"
import { errnoNumbers } from "./protocol/errno.ts"
import { opcodeOf } from "./protocol/frame.ts"
import { opcodeTable } from "./protocol/opcodes.ts"

/** Answers EIO to everything, but keeps the books: the kernel's forgets are not repeated. */
const refusing = (connection: Connection): FrameSink => {
  const { nodes, transport } = connection
  return {
    onFrame: (slot) => {
      const row = opcodeTable[opcodeOf(slot)]
      if (row === undefined || row.hasReply) {
        transport.reply(slot, -errnoNumbers.EIO, 0)
        return
      }
      const request = row.decode(slot, connection.negotiated)
      if ("op" in request) {
        if (request.op === "forget") nodes.forget(request.nodeid, Number(request.nlookup))
        if (request.op === "batchForget") for (const { nodeid, nlookup } of request.forgets) nodes.forget(nodeid, Number(nlookup))
      }
      transport.release(slot)
    },
    onBatchEnd: () => transport.flush()
  }
}

/** The gatekeeper's body: never ends by itself. */
export const gatekeeper = (connection: Connection, grace: Duration.Input): Effect.Effect<never> => {
  const back = awaitBackend(connection, true)
  const sink = refusing(connection)
  const refuse = Effect.sync(() => {
    // Read just before the reader was stopped, when nobody could take them any more.
    for (const slot of connection.parked.splice(0)) sink.onFrame(slot)
  }).pipe(
    Effect.andThen(Effect.ignore(connection.transport.run(sink))),
    // The connection is gone: nobody is left to be refused.
    Effect.andThen(Effect.never)
  )
  return Effect.forever(
    awaitBackend(connection, false).pipe(
      Effect.andThen(Effect.raceFirst(back, Effect.andThen(Effect.sleep(grace), Effect.raceFirst(back, refuse))))
    )
  )
}
