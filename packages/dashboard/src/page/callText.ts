/** A line of the wire log, for people. */
import { microseconds } from "./figures.ts"
import { visible } from "./visible.ts"

interface Call {
  readonly [field: string]: unknown
}

const isCall = (value: unknown): value is Call => typeof value === "object" && value !== null

const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

/** What is said first, or not at all. */
const leading: ReadonlySet<string> = new Set(["at", "type", "opcode", "unique", "microseconds"])

/** The time of day, the operation, whether it came or was answered, and after how long; then all other fields. */
export const callText = (line: string): string => {
  let call: unknown
  try {
    call = JSON.parse(line)
  } catch {
    return visible(line)
  }
  if (!isCall(call)) return visible(line)
  const { at, microseconds: took, opcode, type, unique } = call
  const rest = Object.entries(call)
    .filter(([field]) => !leading.has(field))
    .map(([field, value]) => `${field}=${textOf(value)}`)
  const when = textOf(at).slice(11, 23)
  const how = type === "reply" ? `answered${typeof took === "number" ? ` after ${microseconds(took)}` : ""}` : "asked"
  return visible([when, textOf(opcode), `#${textOf(unique)}`, how, ...rest].join("  "))
}
