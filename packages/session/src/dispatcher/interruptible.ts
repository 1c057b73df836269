/** What stops each operation: what the backend says, else what the opcode table says. */
import { type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import type { AsyncBackend, Interruptible } from "../Backend.ts"

/** What the table says: an operation that only looks may be stopped for a caller that will not come back. */
const usual = (row: OpcodeRow): Interruptible =>
  row.traits.onlyLooks ? "fatal" : row.interruptible ? "signal" : "never"

/** Undefined where the backend leaves it to the table. A list means any signal, and that no other operation is stopped by one. */
const said = ({ interruptible }: AsyncBackend, op: string): Interruptible | undefined => {
  if (interruptible === undefined) return undefined
  if (!Array.isArray(interruptible)) {
    const own: unknown = Reflect.get(interruptible, op)
    return own === "signal" || own === "fatal" || own === "never" ? own : undefined
  }
  return interruptible.some((listed) => listed === op) ? "signal" : undefined
}

const rowStops = (backend: AsyncBackend, row: OpcodeRow): Interruptible => {
  const own = said(backend, row.op)
  if (own !== undefined) return own
  // Who lists operations has thought of all that a handled signal may stop.
  return Array.isArray(backend.interruptible) && usual(row) === "signal" ? "fatal" : usual(row)
}

/** Why a backend's list cannot be; undefined when it can. */
export const wrongInterruptible = (backend: AsyncBackend): string | undefined => {
  const fixed = opcodeTable.find(
    (row) => row !== undefined && row.changesNamespace && said(backend, row.op) === "signal"
  )
  return fixed === undefined
    ? undefined
    : `${fixed.op} cannot be interruptible by any signal: it changes the namespace, and what was done is answered`
}

/** By opcode: what stops the operation. */
export const interruptibleOf = (backend: AsyncBackend): ((row: OpcodeRow) => Interruptible) => {
  const byOpcode = opcodeTable.map((row) => (row === undefined ? "never" : rowStops(backend, row)))
  return (row) => byOpcode[row.opcode] ?? "never"
}

/** What stops an operation of a backend, by its name. For backends that are made of others. */
export const interruptibility = (backend: AsyncBackend, op: string): Interruptible => {
  const row = opcodeTable.find((one) => one?.op === op)
  return row === undefined ? "never" : rowStops(backend, row)
}

/** The operations that a backend itself names: they may wait for other calls, but for changes of the namespace. */
export const waitingOperations = ({ interruptible }: AsyncBackend): ReadonlyArray<string> => {
  if (interruptible === undefined) return []
  if (Array.isArray(interruptible)) return interruptible
  const changing = new Set<string>(opcodeTable.flatMap((row) => (row?.changesNamespace === true ? [row.op] : [])))
  return Object.entries(interruptible).flatMap(([op, stops]) => (stops === "never" || changing.has(op) ? [] : [op]))
}
