/**
 * Keeps callers from waiting for ever while the backend is away.
 *
 * While a backend is being restarted nobody reads the connection: new calls wait in the kernel, and are
 * served when it is back. Once that has lasted longer than `grace`, the gatekeeper reads in its place
 * and answers every call EIO, until the backend returns. It comes first in the tree, so no restart
 * touches it.
 */
import type { FrameSink, Slot } from "@bickford/transport"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { patientSleep } from "@bickford/supervisor"
import { awaitBackend, type Connection, connectionSink } from "./connection/Connection.ts"
import { hasHeader } from "./dispatcher/hasHeader.ts"
import { decodeAs, isDecodeError, opcodeOf, type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import { errnoNumbers } from "@bickford/protocol"
import type { Request } from "@bickford/protocol"

/** Answers EIO to everything, but keeps the books: the kernel's forgets are not repeated. */
const refusing = (connection: Connection): FrameSink => {
  const { counters, handles, nodes, notifier, transport } = connection
  const keep = (request: Request): void => {
    switch (request.op) {
      case "forget":
        nodes.forget(request.nodeid, Number(request.nlookup))
        break
      case "batchForget":
        for (const { nodeid, nlookup } of request.forgets) nodes.forget(nodeid, Number(nlookup))
        break
      case "release":
      case "releasedir":
        // The kernel asks once, whatever it is answered.
        handles.forget(request.nodeid, 1)
        break
      case "notifyReply":
        notifier.retrieved(request.unique, request.data)
    }
  }
  const refuse = (slot: Slot, row: OpcodeRow): void => {
    const { observer } = connection
    const request = decodeAs(row, slot, connection.negotiated)
    const known = isDecodeError(request) ? undefined : request
    if (known !== undefined) {
      observer?.received(row, known)
      keep(known)
    }
    if (!row.hasReply || !hasHeader(slot)) {
      transport.release(slot)
      return
    }
    transport.reply(slot, -errnoNumbers.EIO, 0)
    if (known !== undefined) observer?.replied(row, known, errnoNumbers.EIO, 0, 0)
  }
  return {
    onFrame: (slot) => {
      counters.requests++
      const row = opcodeTable[opcodeOf(slot)]
      if (row === undefined && hasHeader(slot)) transport.reply(slot, -errnoNumbers.EIO, 0)
      else if (row === undefined) transport.release(slot)
      else refuse(slot, row)
    },
    onBatchEnd: () => transport.flush()
  }
}

/** The gatekeeper's body: never ends by itself. When it is the one to see the connection end, it says that all is `over`. */
export const gatekeeper = (
  connection: Connection,
  grace: Duration.Input,
  over: Effect.Effect<unknown>
): Effect.Effect<never> => {
  const back = awaitBackend(connection, true)
  const refusal = refusing(connection)
  const read = Effect.suspend(() => {
    // INIT comes only once, so it waits for the backend as long as the mount does.
    if (connection.negotiated === undefined) return connection.transport.run(connectionSink(connection))
    // Read just before the reader was stopped, when nobody could take them any more.
    for (const slot of connection.parked.splice(0)) refusal.onFrame(slot)
    return connection.transport.run(refusal)
  }).pipe(
    // The reader that follows the backend will meet the same error, and is restarted for it.
    Effect.catch(() => Effect.never),
    Effect.flatMap((end) => {
      connection.ended ??= end
      return Effect.andThen(over, Effect.never)
    })
  )
  return Effect.forever(
    awaitBackend(connection, false).pipe(
      Effect.andThen(Effect.raceFirst(back, Effect.andThen(patientSleep(grace), Effect.raceFirst(back, read))))
    )
  )
}
