/** A call that was answered, on one line for people. */
import { microseconds } from "./figures.ts"
import { visible } from "./visible.ts"

interface Fields {
  readonly [field: string]: unknown
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null

const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

/** What a path says already. */
const named: ReadonlySet<string> = new Set(["name", "newname", "newdir", "oldnodeid"])

const argumentsText = (value: unknown, hasPath: boolean): string =>
  Object.entries(isFields(value) ? value : {})
    .filter(([field]) => !hasPath || !named.has(field))
    .map(([field, one]) => `${field}=${textOf(one)}`)
    .join(" ")

const resultText = ({ bytes, error }: Fields): string => {
  if (error !== undefined) return textOf(error)
  return typeof bytes === "number" && bytes > 0 ? `ok, ${bytes} bytes` : "ok"
}

/** The part of a line that a call's paths are, or its node where they are not known. */
export const placeText = ({ newPath, nodeid, path }: Fields): string => {
  if (path === undefined) return nodeid === undefined ? "" : `node ${textOf(nodeid)}`
  return newPath === undefined ? textOf(path) : `${textOf(path)} -> ${textOf(newPath)}`
}

/** The time of day, the operation, its path, its arguments, what was answered after how long, and whose call it was. */
export const callText = (line: string): string => {
  let call: unknown
  try {
    call = JSON.parse(line)
  } catch {
    return visible(line)
  }
  if (!isFields(call)) return visible(line)
  if (call["missed"] !== undefined) return `${textOf(call["missed"])} more calls, not looked at`
  const parts = [
    textOf(call["at"]).slice(11, 23),
    textOf(call["opcode"]),
    placeText(call),
    argumentsText(call["arguments"], call["path"] !== undefined),
    `= ${resultText(call)}`,
    typeof call["microseconds"] === "number" ? microseconds(call["microseconds"]) : "",
    `${call["program"] === undefined ? "process" : textOf(call["program"])} ${textOf(call["pid"])}`
  ]
  return visible(parts.filter((part) => part !== "").join("  "))
}
