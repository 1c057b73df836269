/** Requests that the session takes itself: those that no operation of a backend answers. */
import { errnoNumbers, type Request, type U64 } from "@bickford/protocol"
import type { Slot } from "@bickford/transport"
import type { AsyncBackend } from "../Backend.ts"
import { type Connection, offerInit } from "../connection/Connection.ts"
import type { Guard } from "./guard.ts"
import type { Pending } from "./pending.ts"

/** Takes a request, and replies to it or gives its slot back. Returns false, and does nothing, for every other one. */
export type OwnRequests = (request: Request, slot: Slot) => boolean

export const makeOwnRequests = (
  connection: Connection,
  backend: AsyncBackend,
  guard: Guard,
  pending: Pending
): OwnRequests => {
  const { nodes, transport } = connection

  const forget = (nodeid: U64, nlookup: U64): void => {
    const held = nodes.count(nodeid)
    // What an earlier server of the connection has handed out was never counted here.
    if (held === 0) return
    const given = Math.min(Number(nlookup), held)
    nodes.forget(nodeid, given)
    guard("forget", () => backend.forget?.(nodeid, given, held - given))
    pending.touch()
  }

  return (request, slot) => {
    switch (request.op) {
      case "forget":
        forget(request.nodeid, request.nlookup)
        break
      case "batchForget":
        for (const { nodeid, nlookup } of request.forgets) forget(nodeid, nlookup)
        break
      case "interrupt":
        pending.interrupt(request.target)
        break
      case "notifyReply":
        connection.notifier.retrieved(request.unique, request.data)
        break
      case "init":
        if (connection.negotiated === undefined || connection.resumed) offerInit(connection, slot)
        else transport.reply(slot, -errnoNumbers.EIO, 0)
        return true
      case "destroy":
        pending.flush()
        transport.reply(slot, 0, 0)
        return true
      default:
        return false
    }
    transport.release(slot)
    return true
  }
}
