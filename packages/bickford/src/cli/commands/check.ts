/** `bickford check`. */
import { shownSource } from "@bickford/daemon"
import { printable } from "@bickford/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { load } from "../arguments.ts"

/** Prints a line for each mount; fails with everything that is wrong. */
const check = Effect.fnUntraced(function* (file: string) {
  const { readConfig } = yield* load(() => import("@bickford/daemon/keeper"))
  const { config } = yield* readConfig(file)
  for (const { mountpoint, name, options, source } of config.mounts) {
    yield* Console.log(
      printable(
        `${name}: ${shownSource(source)} at ${mountpoint}${options.length === 0 ? "" : ` (${options.join(",")})`}`
      )
    )
  }
})

export const checkCommand = Command.make(
  "check",
  { config: Argument.String("CONFIG").pipe(Argument.withDescription("A configuration file")) },
  ({ config }) => check(config)
).pipe(Command.withDescription("Check a configuration, and say what it mounts"))
