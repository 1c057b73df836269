/** `bickford stats`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load, runtimeDirectory } from "../arguments.ts"
import { askedMount } from "../daemonMount.ts"

export const statsCommand = Command.make(
  "stats",
  {
    runtimeDirectory,
    mount: askedMount,
    seconds: Flag.Int("seconds").pipe(
      Flag.withDescription("How long to count the calls of a mount without the daemon"),
      Flag.withDefault(1)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  (input) =>
    Effect.flatMap(
      load(() => import("../stats/stats.ts")),
      ({ stats }) => stats(input.runtimeDirectory, input)
    )
).pipe(
  Command.withDescription(
    "Say what a mount has done, by operation: since the daemon started; without the daemon, what it does from now on"
  )
)
