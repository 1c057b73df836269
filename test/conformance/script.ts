/**
 * What a behaviour does, one call in each line:
 *
 *     [NAME =] [WHO:] CALL ARGUMENT... [=> EXPECTED...]
 *     start WHO: CALL ...       begins a call that may wait
 *     waits WHO                 it does wait
 *     signal WHO                a handled signal comes to it
 *     finish WHO [=> EXPECTED...]
 *
 * Expected are an errno (or several with "|"), the value, or fields: `mode=0644`, `ctime>$before.ctime`.
 * Nothing expected means success. `$NAME` is the value of an earlier line's result, `$NAME.FIELD` a field.
 */
import { type Driver, type Drivers, isWho, type Result, type Who } from "./driver.ts"
import { readFile } from "node:fs/promises"

interface Step {
  readonly line: string
  readonly keep: string | undefined
  readonly who: Who
  readonly verb: "call" | "start" | "waits" | "signal" | "finish"
  readonly tokens: ReadonlyArray<string>
  readonly expected: ReadonlyArray<string>
}

/** A mistake in the table itself. */
const mistake = (line: string, why: string): Error => new Error(`${why}: ${line}`)

const whoOf = (line: string, name: string | undefined): Who => {
  if (name === undefined || !isWho(name)) throw mistake(line, "nobody is called so")
  return name
}

const parseLine = (line: string): Step => {
  const [action = "", expectation = ""] = line.split(/ => ?/)
  const expected = expectation.split(" ").filter((part) => part !== "")
  const [, keep, rest = ""] = /^(?:(\w+) = )?(.*)$/.exec(action) ?? []
  const [, verb, name] = /^(waits|signal|finish) (\w+)$/.exec(rest) ?? []
  if (verb === "waits" || verb === "signal" || verb === "finish") {
    return { line, keep, who: whoOf(line, name), verb, tokens: [], expected }
  }
  const [, start, speaker, call = ""] = /^(start )?(?:(\w+): )?(.*)$/.exec(rest) ?? []
  if (start !== undefined && expected.length > 0) throw mistake(line, "what is expected belongs to its finish")
  return {
    line,
    keep,
    who: speaker === undefined ? "root" : whoOf(line, speaker),
    verb: start === undefined ? "call" : "start",
    tokens: call.split(" "),
    expected
  }
}

export const parseScript = (script: string): ReadonlyArray<Step> =>
  script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map(parseLine)

/** Numbers (with seconds and nanoseconds too) are compared as such, all else as text. */
const quantity = (text: string): bigint | undefined => {
  const [, seconds, nanoseconds] = /^(-?\d+)\.(\d{9})$/.exec(text) ?? []
  if (seconds !== undefined && nanoseconds !== undefined) return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`)
  return /^(-?\d+|0x[0-9a-f]+)$/.test(text) ? BigInt(text) : undefined
}

const compare = (left: string, operator: string, right: string): boolean => {
  const a = quantity(left)
  const b = quantity(right)
  if (a === undefined || b === undefined)
    return operator === "=" ? left === right : operator === "!=" ? left !== right : false
  switch (operator) {
    case "=":
      return a === b
    case "!=":
      return a !== b
    case "<":
      return a < b
    case ">":
      return a > b
    case "<=":
      return a <= b
    default:
      return a >= b
  }
}

type Kept = Map<string, Result>

const substitute = (kept: Kept, token: string): string =>
  token.replaceAll(/\$(\w+)(?:\.(\w+))?/g, (whole, name: string, field: string | undefined) => {
    const value = kept.get(name)?.fields[field ?? "value"]
    if (value === undefined) throw new Error(`there is no ${whole}`)
    return value
  })

/** Why a result is not what was expected, if so. */
const differs = (kept: Kept, expected: ReadonlyArray<string>, { errno, fields }: Result): string | undefined => {
  const [first = ""] = expected
  if (/^E[A-Z0-9|E]+$/.test(first)) {
    return errno !== undefined && first.split("|").includes(errno) ? undefined : `gave ${errno ?? "success"}`
  }
  if (errno !== undefined) return `gave ${errno}`
  for (const part of expected) {
    const [, name = "value", operator = "=", wanted = ""] = /^(?:(\w+)(=|!=|<=|>=|<|>))?(.*)$/.exec(part) ?? []
    const right = substitute(kept, wanted)
    const left = fields[name]
    if (left === undefined || !compare(left, operator, right))
      return `has ${name} ${left ?? "missing"}, not ${operator} ${right}`
  }
  return undefined
}

/** Arguments as driver.c reads them. An empty one is written '' in a script. */
const encode = (token: string): string => (token === "''" ? "%" : token)

/** Waits until a driver is inside a call and no longer runs there: the kernel tells what it waits in. */
const untilItWaits = async (driver: Driver): Promise<void> => {
  // Number 0 is read(2), which is how a driver waits for the next line.
  const text = await readFile(`/proc/${driver.pid}/syscall`, "utf8")
  if (/^(?!0 )\d+ /.test(text)) return
  await new Promise((resolve) => setImmediate(resolve))
  return untilItWaits(driver)
}

/** Runs a script in the place its drivers entered; why it failed, if it did. */
export const runScript = async (
  steps: ReadonlyArray<Step>,
  drivers: Drivers,
  enter: (driver: Driver) => Promise<void>
): Promise<string | undefined> => {
  const kept: Kept = new Map()
  const pending = new Map<Who, Promise<Result>>()
  const inPlace = new Set<Driver>()
  for (const { expected, keep, line, tokens, verb, who } of steps) {
    const driver = drivers.get(who)
    if (!inPlace.has(driver)) {
      await enter(driver)
      inPlace.add(driver)
    }
    if (verb === "waits") {
      await untilItWaits(driver)
      continue
    }
    if (verb === "signal") {
      driver.signal("SIGUSR1")
      continue
    }
    const result =
      verb === "finish"
        ? pending.get(who)
        : driver.call(tokens.map((token) => encode(substitute(kept, token))).join(" "))
    if (result === undefined) throw mistake(line, "nothing was started")
    if (verb === "start") {
      pending.set(who, result)
      continue
    }
    const came = await result
    const wrong = differs(kept, expected, came)
    if (wrong !== undefined) return `${line}: ${wrong}`
    if (keep !== undefined) kept.set(keep, came)
  }
  return undefined
}
