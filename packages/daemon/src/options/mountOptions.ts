/** Reading `-o` options. */
import * as Result from "effect/Result"
import { type CommandError, commandError } from "../CommandError.ts"
import { nearest } from "@bickford/protocol"
import { sourceKinds } from "../sources/index.ts"
import type { SourceKind } from "../sources/SourceKind.ts"
import { type NumberForm, optionTable, type ParsedOptions, type Row, type Target } from "./table.ts"

export type { ParsedOptions, Target } from "./table.ts"

/** The row of an option; `x-*` is for other programs (mount(8)). */
export const rowOf = (name: string): Row | undefined =>
  Object.hasOwn(optionTable, name) ? optionTable[name] : name.startsWith("x-") ? optionTable["comment"] : undefined

/** `NAME`, or `NAME=FORM`. */
const formOf = (name: string, row: Row): string =>
  row.takes === "nothing" || row.takes === "refused" ? name : `${name}=${row.takes.toUpperCase()}`

const takersOf = (name: string): string =>
  sourceKinds
    .filter(({ options }) => options.includes(name))
    .map(({ kind }) => `${kind}:`)
    .join(", ")

/** What an option does, for help and documentation; an option of sources with those that take it. */
export const helpOf = (name: string, row: Row): string =>
  row.takes !== "refused" && row.by === "source" ? `${row.help} (${takersOf(name)})` : row.help

/** One line for each option that `isShown`, for the help. */
export const helpOfOptions = (isShown: (row: Row) => boolean): string =>
  Object.entries(optionTable)
    .filter(([, row]) => isShown(row))
    .map(([name, row]) => `  ${formOf(name, row).padEnd(30)}${helpOf(name, row)}`)
    .join("\n")

const named = (isNamed: (row: Row) => boolean): string =>
  Object.entries(optionTable)
    .flatMap(([name, row]) => (isNamed(row) ? [name] : []))
    .join(", ")

/** The help of `-o`, whole. */
export const optionsHelp: string = [
  helpOfOptions((row) => row.takes !== "refused" && row.by !== "nobody"),
  "",
  "Of two that contradict each other the later one counts, as in mount(8).",
  `Taken without effect: ${named((row) => row.takes !== "refused" && row.by === "nobody")}, x-*.`,
  `Refused, with the reason and what to use instead: ${named((row) => row.takes === "refused")}.`
].join("\n")

const units: { readonly [unit: string]: number } = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const parseNumber = (takes: NumberForm, value: string): number | undefined => {
  switch (takes) {
    case "number":
      return /^\d{1,15}$/.test(value) ? Number(value) : undefined
    case "octal":
      return /^[0-7]{1,15}$/.test(value) ? Number.parseInt(value, 8) : undefined
    case "seconds":
      return /^\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : undefined
    case "size": {
      const [, digits, unit = ""] = /^(\d{1,15})([kmg]?)$/i.exec(value) ?? []
      return digits === undefined ? undefined : Number(digits) * (units[unit.toLowerCase()] ?? 1)
    }
  }
}

/** Splits at commas; a backslash keeps the character after it, as in libfuse. */
export const splitOptions = (given: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let part = ""
  for (let i = 0; i < given.length; i++) {
    const c = given[i]
    if (c === "\\" && i + 1 < given.length) part += given[++i]
    else if (c === ",") {
      parts.push(part)
      part = ""
    } else part += c
  }
  parts.push(part)
  return parts.filter((p) => p !== "")
}

/** An option, taken apart. */
interface GivenOption {
  readonly name: string
  /** Undefined without `=`. */
  readonly value: string | undefined
}

/** Takes `NAME` or `NAME=VALUE` apart. */
export const givenOption = (option: string): GivenOption => {
  const at = option.indexOf("=")
  return at < 0 ? { name: option, value: undefined } : { name: option.slice(0, at), value: option.slice(at + 1) }
}

/** How numbers of a form are written in messages. */
const shown = (takes: NumberForm, value: number): string =>
  takes === "octal" ? `0${value.toString(8)}` : String(value)

/** Nothing said yet. */
export const emptyTarget = (): Target => ({
  mount: {},
  memory: {},
  passthrough: {},
  workspace: {},
  postgres: {},
  owner: {},
  session: {},
  allowRoot: false,
  autoUnmount: false,
  debug: false
})

/** Has `row` write what an option says into `target`; or says what is wrong with it. */
export const applyOption = (target: Target, { name, value }: GivenOption, row: Row): string | undefined => {
  if (row.takes === "refused") return `option ${name}: ${row.help}`
  if (row.takes === "nothing") {
    if (value !== undefined && row.by !== "nobody") return `option ${name} takes no value`
    row.apply(target)
    return undefined
  }
  if (value === undefined || value === "") return `option ${name} needs a value: ${formOf(name, row)}`
  if (row.takes === "text") {
    row.apply(target, value)
    return undefined
  }
  const number = parseNumber(row.takes, value)
  if (number === undefined) return `option ${name}: ${value} is not a valid ${row.takes}`
  if (number < row.least || number > row.most) {
    return `option ${name}: ${value} is out of range; it must be from ${shown(row.takes, row.least)} to ${shown(row.takes, row.most)}`
  }
  row.apply(target, number)
  return undefined
}

/** What is wrong with an option. */
interface OptionProblem {
  readonly option: string
  readonly message: string
}

const problem = (option: string, message: string): OptionProblem => ({ option, message: `option ${option}${message}` })

/** What is right by itself and wrong beside another option, of the options for `mount`. */
export const contradiction = ({
  mount: { blkdev, blksize, maxRead },
  session
}: ParsedOptions): OptionProblem | undefined => {
  if (maxRead !== undefined && maxRead > 0 && maxRead < 4096)
    return problem("max_read", `: ${maxRead} is out of range; it must be 0 or at least 4096`)
  if (blksize !== undefined && blkdev !== true)
    return problem("blksize", " is for a blkdev mount; give blkdev beside it")
  if (blksize !== undefined && !Number.isInteger(Math.log2(blksize)))
    return problem("blksize", `: ${blksize} is not a power of two`)
  const { congestionThreshold, maxBackground = 64 } = session
  if (congestionThreshold !== undefined && congestionThreshold > maxBackground) {
    return problem(
      "congestion_threshold",
      `: ${congestionThreshold} is more than max_background (${maxBackground}), so it would never be reached`
    )
  }
  return undefined
}

/** Why a kind of source does not take an option; undefined when it does. */
const refusalOf = (kind: SourceKind, name: string): string | undefined => {
  const why = kind.refuses[name]
  if (why !== undefined) return `option ${name} is not for ${kind.kind}: ${why}`
  const row = rowOf(name)
  if (row === undefined || row.takes === "refused" || row.by !== "source" || kind.options.includes(name))
    return undefined
  return `option ${name} is not for ${kind.kind}: it is for ${takersOf(name)}`
}

const parse = (texts: ReadonlyArray<string>, kind: SourceKind | undefined): ParsedOptions | CommandError => {
  const target = emptyTarget()
  for (const option of texts.flatMap(splitOptions)) {
    const given = givenOption(option)
    const row = rowOf(given.name)
    if (row === undefined)
      return commandError(
        `unknown option ${given.name}; did you mean ${nearest(given.name, Object.keys(optionTable))}?`
      )
    const wrong = applyOption(target, given, row) ?? (kind === undefined ? undefined : refusalOf(kind, given.name))
    if (wrong !== undefined) return commandError(wrong)
  }
  const wrong = contradiction(target)?.message ?? kind?.contradiction?.(target)
  return wrong === undefined ? target : commandError(wrong)
}

/**
 * Parses the values of `-o` flags, each with options separated by commas, for a source of `kind`; a later one wins.
 * Without a kind (the source is wrong) options of every kind are taken.
 */
export const parseMountOptions = (
  texts: ReadonlyArray<string>,
  kind: SourceKind | undefined
): Result.Result<ParsedOptions, CommandError> => {
  const parsed = parse(texts, kind)
  return "_tag" in parsed ? Result.fail(parsed) : Result.succeed(parsed)
}
