/** `bickford info`: says what is known of a store. */
import type { PostgresInfo, PostgresSession, StoreInfo } from "@bickford/backends"
import { commandError, isParsed, parseSource, shownSource } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { load } from "../arguments.ts"

const seconds = (value: number): string => `${Math.max(0, Math.round(value))} s`

const sessionLine = ({ host, isDead, pid, seenAgo, startedAgo }: PostgresSession): string =>
  `${isDead ? "dead" : "mounted"}: by process ${pid ?? "unknown"} of host ${host} for ${seconds(startedAgo)}, last seen ${seconds(seenAgo)} ago`

const linesOf = (info: PostgresInfo): ReadonlyArray<string> => [
  info.url,
  `server: PostgreSQL ${info.serverVersion}, schema ${info.schema}, store version ${info.storeVersion}`,
  `holds: ${info.inodes} inodes, ${info.bytes} bytes of files`,
  `takes: ${info.storedBytes} bytes on the server's disk`,
  ...(info.deadContents === 0 ? [] : [`${info.deadContents} contents that are gone are still to be removed`]),
  ...(info.sessions.length === 0 ? ["not mounted"] : info.sessions.map(sessionLine))
]

const storeLines = ({ content, fileBytes, logBytes, path }: StoreInfo): ReadonlyArray<string> => [
  path,
  `takes: ${fileBytes} bytes, and ${logBytes} bytes of its log`,
  ...(content === undefined
    ? ["served now: what it holds is df's to say, of the mount"]
    : [
        `store version ${content.storeVersion}`,
        `holds: ${content.inodes} inodes, ${content.bytes} bytes of files; ${content.freeBytes} bytes are free in its file`,
        ...(content.orphans === 0 ? [] : [`${content.orphans} files without a name, which the next mount removes`]),
        ...(content.deadContents === 0
          ? []
          : [`${content.deadContents} contents that are gone are still to be removed`])
      ])
]

/** What is known, and how it is told. */
const describe = Effect.fnUntraced(function* (kind: string, path: string, shown: string) {
  const { describePostgres, describeStore } = yield* load(() => import("@bickford/backends"))
  if (kind === "postgres") {
    const known = yield* describePostgres(path)
    return { known, lines: linesOf(known) }
  }
  if (kind === "sqlite") {
    const known = yield* describeStore(path)
    return { known, lines: storeLines(known) }
  }
  return yield* Effect.fail(commandError(`${shown}: info tells of a store only: sqlite:PATH or postgres:URL`))
})

const info = Effect.fnUntraced(function* (source: string, json: boolean) {
  const parsed = parseSource(source)
  if (!isParsed(parsed)) return yield* Effect.fail(parsed)
  const { known, lines } = yield* Effect.mapError(
    describe(parsed.kind.kind, parsed.path, shownSource(source)),
    ({ message }) => commandError(message)
  )
  if (json) return yield* Console.log(printableJson(known))
  for (const line of lines) yield* Console.log(printable(line))
})

export const infoCommand = Command.make(
  "info",
  {
    source: Argument.String("SOURCE").pipe(
      Argument.withDescription("A store, mounted or not: sqlite:PATH or postgres:URL")
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  (input) => info(input.source, input.json)
).pipe(Command.withDescription("Say how large a store is, what it holds, and who serves it"))
