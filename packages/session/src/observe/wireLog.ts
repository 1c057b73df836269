/** One line for each request and each reply of a live session. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "../connection/Connection.ts"
import { errnoName, printableJson } from "@bickford/protocol"
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import { observe } from "./Observer.ts"
import { argumentsOf, callerOf, type Fields } from "./requestFields.ts"

/** What the wire log prints, and where. */
export interface WireLogOptions {
  /** `json`, one object a line, or `pretty`, for people. Default `json`. */
  readonly format?: "json" | "pretty"
}

/** Text that stands for itself, and cannot be taken for another field. */
const plain = /^[^\s"=\\\p{C}]+$/u

const pretty = (fields: Fields): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === "string" && plain.test(value) ? value : printableJson(value)}`)
    .join(" ")

/** Calls `write` with a line, no line break, for each request and reply while the scope lasts. */
export const wireLog = (
  connection: Connection,
  write: (line: string) => void,
  options: WireLogOptions = {}
): Effect.Effect<void, never, Scope.Scope> => {
  const began = new Map<U64, number>()
  const line =
    options.format === "pretty"
      ? (arrow: string, row: OpcodeRow, request: Request, fields: Fields) =>
          write(
            `${new Date().toISOString()} ${arrow} ${String(request.unique)} ${row.name} node=${String(request.nodeid)} ${pretty(fields)}`.trimEnd()
          )
      : (arrow: string, row: OpcodeRow, request: Request, fields: Fields) =>
          write(
            printableJson({
              at: new Date().toISOString(),
              type: arrow === "->" ? "request" : "reply",
              unique: String(request.unique),
              opcode: row.name,
              nodeid: String(request.nodeid),
              ...fields
            })
          )
  return observe(connection, {
    received: (row, request) => {
      if (row.hasReply) began.set(request.unique, performance.now())
      line("->", row, request, { ...callerOf(request), pid: request.pid, ...argumentsOf(request) })
    },
    replied: (row, request, errno, bytes) => {
      const at = began.get(request.unique)
      began.delete(request.unique)
      line("<-", row, request, {
        ...(errno === 0 ? { bytes } : { error: errnoName(errno) ?? errno }),
        ...(at === undefined ? {} : { microseconds: Math.round((performance.now() - at) * 1000) })
      })
    }
  })
}
