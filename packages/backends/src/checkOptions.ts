/** The options of filesystems ready to mount, checked once, when the filesystem is made. */
import { described, slipOf } from "@bickford/protocol"

/** What a value must be; undefined when it is. */
type Check = (value: unknown) => string | undefined

/** A check for every option that there is. */
export type Checks<Options> = { readonly [Option in keyof Required<Options>]: Check }

/** What makes a check of a predicate, and of words for what it takes. */
export const is =
  (isRight: (value: unknown) => boolean, expected: string): Check =>
  (value) =>
    isRight(value) ? undefined : expected

export const flag = is((value) => typeof value === "boolean", "true or false")
export const callable = is((value) => typeof value === "function", "a function")
export const whole = is(
  (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
  "a whole number, not negative"
)
const notNegative = (value: unknown): boolean => typeof value === "number" && value >= 0
export const seconds = is(notNegative, "a number of seconds, not negative")
/** Infinity is a limit too. */
export const limit = is(notNegative, "a number, not negative")
export const permissions = is(
  (value) => typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o7777,
  "permission bits, from 0 to 0o7777"
)
export const list = is(Array.isArray, "a list")
export const record = is((value) => typeof value === "object" && value !== null && !Array.isArray(value), "an object")
export const oneOf = (...values: ReadonlyArray<string>): Check =>
  is(
    (value) => typeof value === "string" && values.includes(value),
    values.map((value) => JSON.stringify(value)).join(" or ")
  )

const unknown = (option: string, names: ReadonlyArray<string>): string => {
  const meant = slipOf(option, names)
  return `there is no option ${option}; ${meant === undefined ? `the options are ${names.join(", ")}` : `did you mean ${meant}?`}`
}

const faultOf = (options: object, checks: { readonly [option: string]: Check }): string | undefined => {
  for (const [option, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, option) ? checks[option] : undefined
    if (check === undefined) return unknown(option, Object.keys(checks))
    const expected = value === undefined ? undefined : check(value)
    if (expected !== undefined) return `option ${option} is ${described(value)}; it must be ${expected}`
  }
  return undefined
}

/** Throws a TypeError that names the filesystem, the option and what it must be. */
export const checkOptions = <Options extends object>(of: string, options: Options, checks: Checks<Options>): void => {
  const given: unknown = options
  const fault =
    record(given) === undefined
      ? faultOf(options, checks)
      : `the options are ${described(given)}; they must be an object`
  if (fault !== undefined) throw new TypeError(`${of}: ${fault}`)
}

/** Throws a TypeError unless `path`, the first argument of `of`, is one that can be opened. */
export const checkPath = (of: string, path: unknown): void => {
  if (typeof path !== "string" || path === "" || path.includes("\0"))
    throw new TypeError(`${of}: the path is ${described(path)}; it must be a string without NUL`)
}
