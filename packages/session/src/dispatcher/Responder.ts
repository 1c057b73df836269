/**
 * Exactly one reply: the only place where an `Exit` becomes bytes.
 *
 * Success is encoded in place in the request's slot, a typed errno is its number, a defect is EIO with
 * a log line, an interruption is what the reason for it says. An entry reply counts as a lookup only
 * once the kernel has taken it.
 */
import { errnoNumbers, type Request } from "@bickford/protocol"
import { memoryOf, type OpcodeRow } from "@bickford/protocol/codec"
import type { DetachedRequest, Slot } from "@bickford/transport"
import type * as Exit from "effect/Exit"
import type { Connection } from "../connection/Connection.ts"
import type { StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { makeComposer } from "./compose.ts"
import type { Guard } from "./guard.ts"
import { Lookups } from "./lookups.ts"

export interface Responder {
  /** Replies through the request's slot and gives it back. */
  readonly toSlot: (
    slot: Slot,
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
    stopped: StopReason | undefined
  ) => void
  /** Replies to a request whose slot was given back before. */
  readonly toDetached: (
    detached: DetachedRequest,
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
    stopped: StopReason | undefined
  ) => void
}

/** Body bytes that a detached reply can have; as much as a slot's own area. */
const scratchSize = 256 * 1024
/**
 * Where the bodies of detached replies are encoded, touched before its first use. All connections of the thread share it: a
 * reply has been written, or copied, when the call that encodes it returns.
 */
const scratch = memoryOf(new Uint8Array(scratchSize).fill(0))

const noViews: ReadonlyArray<Uint8Array> = []

/** What a reply was made of has been sent. */
const dispose = (data: unknown, guard: Guard): void => {
  if (Array.isArray(data))
    guard("Symbol.dispose of what was read", () => (data as Partial<Disposable>)[Symbol.dispose]?.())
}

/** `release`: has the backend close what a reply that was not taken had opened. */
export const makeResponder = (
  connection: Connection,
  diagnostics: Diagnostics,
  guard: Guard,
  release: (request: Request, value: unknown) => unknown
): Responder => {
  const { handles, nodes, transport } = connection
  const lookups = new Lookups()
  const { compose, reply } = makeComposer(connection, diagnostics, lookups)

  /** Has the backend undo an open that the kernel does not know of. */
  const withdrawOpen = (row: OpcodeRow, request: Request, value: unknown): void =>
    guard(`${row.op} that nobody waited for`, () => release(request, value))

  /** After the write: the kernel holds what it took; of what it did not take it knows nothing. */
  const settle = (
    row: OpcodeRow,
    request: Request,
    value: unknown,
    error: number,
    bytes: number,
    written: number
  ): void => {
    if (written === 0) {
      for (let i = 0; i < lookups.length; i++) nodes.add(lookups.nodeids[i] ?? 0)
      // What CREATE and TMPFILE open is the node that they tell of.
      if (error === 0 && row.opensHandle) handles.add(lookups.length > 0 ? (lookups.nodeids[0] ?? 0) : request.nodeid)
    } else {
      if (error === 0 && row.opensHandle) withdrawOpen(row, request, value)
      for (let i = 0; i < lookups.length; i++) {
        const nodeid = lookups.nodeids[i] ?? 0
        guard("forget", () => connection.backend?.forget?.(nodeid, 1, nodes.count(nodeid)))
      }
      // ENOENT: the caller is gone or the connection was aborted; nobody waits for this reply.
      if (written !== -errnoNumbers.ENOENT) diagnostics.rejected(row.name, -written)
    }
    const { observer } = connection
    if (observer !== undefined) {
      const found = written === 0 && lookups.length > 0 ? (lookups.nodeids[0] ?? 0) : 0
      observer.replied(row, request, -error, bytes, found)
    }
    lookups.length = 0
  }

  return {
    toSlot: (slot, row, request, exit, stopped) => {
      compose(row, request, exit, stopped, slot, slot.body, slot.bodyCapacity)
      const { error, length, parts, value, views } = reply
      if (views !== undefined) {
        settle(row, request, value, 0, length, transport.replyData(slot, views))
        dispose(value, guard)
      } else if (parts !== undefined) {
        settle(row, request, value, 0, length, transport.replyParts(slot, parts))
        dispose(value, guard)
      } else settle(row, request, value, error, length, transport.reply(slot, error, length))
    },
    toDetached: (detached, row, request, exit, stopped) => {
      compose(row, request, exit, stopped, scratch, 0, scratchSize)
      const { error, length, parts, value, views } = reply
      if (views !== undefined) {
        settle(row, request, value, 0, length, transport.replyDetached(detached, 0, views))
        dispose(value, guard)
      } else if (parts !== undefined) {
        settle(row, request, value, 0, length, transport.replyPartsDetached(detached, parts))
        dispose(value, guard)
      } else
        settle(
          row,
          request,
          value,
          error,
          length,
          transport.replyDetached(detached, error, error === 0 ? [scratch.bytes.subarray(0, length)] : noViews)
        )
    }
  }
}
