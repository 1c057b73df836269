/** `bickford info`: says what is known of a store in a database. */
import type { PostgresInfo, PostgresSession } from "@bickford/backends"
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

const info = Effect.fnUntraced(function* (source: string, json: boolean) {
  const parsed = parseSource(source)
  if (!isParsed(parsed) || parsed.kind.kind !== "postgres")
    return yield* Effect.fail(
      isParsed(parsed)
        ? commandError(`${shownSource(source)}: there is something to tell of postgres:URL only`)
        : parsed
    )
  const { describePostgres } = yield* load(() => import("@bickford/backends"))
  const known = yield* Effect.mapError(describePostgres(parsed.path), ({ message }) => commandError(message))
  if (json) return yield* Console.log(printableJson(known))
  for (const line of linesOf(known)) yield* Console.log(printable(line))
})

export const infoCommand = Command.make(
  "info",
  {
    source: Argument.String("SOURCE").pipe(
      Argument.withDescription("A store in a database, mounted or not: postgres:URL")
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  (input) => info(input.source, input.json)
).pipe(Command.withDescription("Say what a store in a database holds, and who serves it"))
