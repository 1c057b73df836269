/** A call that was answered, on one line as strace(1) has them. */
import { printable, printableJson } from "@bickford/protocol"

interface Fields {
  readonly [field: string]: unknown
}

/** A line, and whether it tells of an error. */
export interface CallLine {
  readonly text: string
  readonly isError: boolean
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null

/** What a path says already. */
const named: ReadonlySet<string> = new Set(["name", "newname", "newdir", "oldnodeid"])

const duration = (microseconds: number): string => {
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(2)} s`
  return microseconds >= 1000 ? `${(microseconds / 1000).toFixed(1)} ms` : `${microseconds} us`
}

const argumentsOf = ({ arguments: given, newPath, nodeid, path }: Fields): string => {
  const places = [path ?? undefined, newPath].filter((one) => one !== undefined).map((one) => printableJson(one))
  const rest = Object.entries(isFields(given) ? given : {})
    .filter(([field]) => path === undefined || !named.has(field))
    .map(([field, value]) => `${field}=${printableJson(value)}`)
  return [...(path === undefined ? [`node ${String(nodeid)}`] : places), ...rest].join(", ")
}

const resultOf = ({ bytes, error }: Fields): string => {
  if (error !== undefined) return printable(String(error))
  return typeof bytes === "number" && bytes > 0 ? `ok (${bytes} bytes)` : "ok"
}

/** The line of a record of the control socket; undefined for what is none. */
export const callLine = (record: string): CallLine | undefined => {
  let call: unknown
  try {
    call = JSON.parse(record)
  } catch {
    return undefined
  }
  if (!isFields(call)) return undefined
  const { at, error, microseconds, missed, opcode, pid } = call
  if (typeof missed === "number") return { text: `... ${missed} calls more, too many to tell`, isError: false }
  if (typeof at !== "string" || typeof opcode !== "string" || typeof microseconds !== "number") return undefined
  const when = printable(at.slice(11, 23))
  return {
    text: `${when} [${String(pid)}] ${printable(opcode)}(${argumentsOf(call)}) = ${resultOf(call)} <${duration(microseconds)}>`,
    isError: error !== undefined
  }
}
