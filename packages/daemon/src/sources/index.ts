/**
 * The registry of sources: what can be served, as the first argument of `bickford mount` and `source` of the
 * configuration name it. A new kind is a file here and its row.
 */
import * as Effect from "effect/Effect"
import { type CommandError, commandError } from "../CommandError.ts"
import { tarSource, zipSource } from "./archives.ts"
import { memorySource } from "./memory.ts"
import { moduleSource } from "./module.ts"
import { passthroughSource } from "./passthrough.ts"
import { postgresSource } from "./postgres.ts"
import type { SourceKind } from "./SourceKind.ts"
import { gitSource, httpSource, httpsSource, s3Source } from "./remote.ts"
import { sqliteSource } from "./sqlite.ts"
import { workspaceSource } from "./workspace.ts"

/** In the order of the help. */
export const sourceKinds: ReadonlyArray<SourceKind> = [
  memorySource,
  sqliteSource,
  postgresSource,
  passthroughSource,
  workspaceSource,
  zipSource,
  tarSource,
  httpSource,
  httpsSource,
  s3Source,
  gitSource,
  moduleSource
]

/** A source, taken apart. */
export interface Source {
  readonly kind: SourceKind
  /** Empty for a kind without an operand. */
  readonly path: string
}

const formOf = ({ kind, operand }: SourceKind): string => `${kind}:${operand ?? ""}`
const listed = (parts: ReadonlyArray<string>): string => `${parts.slice(0, -1).join(", ")} or ${parts.at(-1)}`

/** `memory:, sqlite:PATH, ... or module:PATH`. */
export const sourceForms = listed(sourceKinds.map(formOf))

/** As `sourceForms`, each with what it is. */
export const sourcesHelp = listed(sourceKinds.map((kind) => `${formOf(kind)} (${kind.help})`))

/** A URL that says by itself which kind of source it is. */
const asSource = (text: string): string => (/^postgres(ql)?:\/\//.test(text) ? `postgres:${text}` : text)

/** True of a text that begins as a source does. */
export const isSource = (text: string): boolean => sourceKinds.some(({ kind }) => asSource(text).startsWith(`${kind}:`))

/** A source as it can be shown to others: a password in a URL is left out. */
export const shownSource = (text: string): string => text.replace(/^([a-z:]*\/\/[^/?#@:]*):[^/?#@]*@/, "$1@")

/** Takes a source apart; or says what is wrong with it. */
export const parseSource = (given: string): Source | CommandError => {
  const text = asSource(given)
  const kind = sourceKinds.find((known) => text.startsWith(`${known.kind}:`))
  if (kind === undefined)
    return commandError(`unknown source ${shownSource(text)}; known: ${sourceKinds.map(formOf).join(", ")}`)
  const path = text.slice(kind.kind.length + 1)
  if (kind.operand === undefined && path !== "")
    return commandError(`unknown source ${text}: ${kind.kind}: takes ${kind.needs}`)
  if (kind.operand !== undefined && path === "")
    return commandError(
      `${kind.kind}: needs ${kind.needs}: ${formOf(kind)}${kind.missing === undefined ? "" : `\n${kind.missing}`}`
    )
  return { kind, path }
}

/** True of a source that `parseSource` could take apart. */
export const isParsed = (parsed: Source | CommandError): parsed is Source => "kind" in parsed

/** As `parseSource`, in an Effect. */
export const sourceOf = (text: string): Effect.Effect<Source, CommandError> => {
  const parsed = parseSource(text)
  return isParsed(parsed) ? Effect.succeed(parsed) : Effect.fail(parsed)
}

/** The source with its path made absolute by `resolve`; as it is where it is none. */
export const withAbsolutePath = (text: string, resolve: (path: string) => string): string => {
  const parsed = parseSource(text)
  return isParsed(parsed) && parsed.path !== "" && parsed.kind.elsewhere !== true
    ? `${parsed.kind.kind}:${resolve(parsed.path)}`
    : text
}
