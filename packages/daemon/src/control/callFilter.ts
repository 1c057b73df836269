/** Which calls a request to the control socket wants: as its query has it. */
import { errnoNumbers, nearest } from "@bickford/protocol"
import { opcodeTable } from "@bickford/protocol/codec"
import type { CallFilter } from "@bickford/session"
import * as Result from "effect/Result"
import { type CommandError, commandError } from "../CommandError.ts"
import { parseDuration } from "../config/durations.ts"

const opcodes: ReadonlySet<string> = new Set(opcodeTable.flatMap((row) => (row === undefined ? [] : [row.name])))

const keys = ["op", "path", "pid", "error", "slow", "share"]

type Parsed<A> = Result.Result<A, CommandError>

const refused = (message: string): Parsed<never> => Result.fail(commandError(message))

const suggestion = (text: string, known: Iterable<string>): string => {
  const near = nearest(text, Array.from(known))
  return near === undefined ? "" : `; did you mean ${near}?`
}

const parts: { readonly [key: string]: (text: string) => Parsed<CallFilter> } = {
  op: (text) => {
    const names = text.toUpperCase().split(",")
    const unknown = names.find((name) => !opcodes.has(name))
    if (unknown !== undefined) return refused(`there is no operation ${unknown}${suggestion(unknown, opcodes)}`)
    return Result.succeed({ opcodes: names })
  },
  path: (text) => Result.succeed({ path: text }),
  pid: (text) =>
    /^\d{1,10}$/.test(text) ? Result.succeed({ pid: Number(text) }) : refused(`${text} is no process id`),
  error: (text) => {
    const error = text.toLowerCase() === "any" ? "any" : text.toUpperCase()
    if (error === "any" || Object.hasOwn(errnoNumbers, error)) return Result.succeed({ error })
    return refused(`there is no error ${error}${suggestion(error, Object.keys(errnoNumbers))}`)
  },
  slow: (text) => {
    const milliseconds = parseDuration(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text)
    return milliseconds === undefined
      ? refused(`${text} is no length of time, as 10ms or 2s`)
      : Result.succeed({ microseconds: milliseconds * 1000 })
  },
  share: (text) => {
    const percent = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
    return percent > 0 && percent <= 100
      ? Result.succeed({ share: percent / 100 })
      : refused(`${text} is no share of the time, as 1 (percent)`)
  }
}

/**
 * The filter of a query: `op` (names, between commas, in any case), `path` (a part of it), `pid`, `error` (an errno's name, or
 * `any`), `slow` (a length of time), `share` (percent of the worker's time that looking may take). An empty value is no condition. Fails with what is wrong.
 */
export const parseCallFilter = (query: URLSearchParams): Parsed<CallFilter> => {
  let filter: CallFilter = {}
  for (const [key, text] of query) {
    const part = Object.hasOwn(parts, key) ? parts[key] : undefined
    if (part === undefined) return refused(`calls are not chosen by ${key}${suggestion(key, keys)}`)
    if (text === "") continue
    const parsed = part(text)
    if (Result.isFailure(parsed)) return parsed
    filter = { ...filter, ...parsed.success }
  }
  return Result.succeed(filter)
}
