/** One line for each request and each reply of a live session. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "../connection/Connection.ts"
import { errnoName, limits, printableJson } from "@bickford/protocol"
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import { observe } from "./Observer.ts"

/** What the wire log prints, and where. */
export interface WireLogOptions {
  /** `json`, one object a line, or `pretty`, for people. Default `json`. */
  readonly format?: "json" | "pretty"
}

type Fields = { readonly [field: string]: unknown }

const header: ReadonlySet<string> = new Set(["op", "unique", "nodeid", "uid", "gid", "pid"])

/** What is shown of a value: bytes by their number, 64-bit numbers exactly. */
const shown = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === "bigint") return value.toString()
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shown(one)]))
  return value
}

/** A name that is no UTF-8 is shown in Latin-1, marked. */
const shownName = (value: unknown): unknown =>
  value instanceof Uint8Array ? `bytes:${Buffer.from(value).toString("latin1")}` : value

const argumentsOf = (request: Request): Fields =>
  Object.fromEntries(
    Object.entries(request)
      .filter(([key]) => !header.has(key))
      .map(([key, value]) => [key, key.toLowerCase().endsWith("name") ? shownName(value) : shown(value)])
  )

/** Only creations bring their caller's ids where idmapped mounts are allowed. */
const callerOf = ({ uid }: Request): Fields => (uid === limits.FUSE_INVALID_UIDGID ? {} : { uid })

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
