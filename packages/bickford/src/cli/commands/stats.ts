/** `bickford stats`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load, runtimeDirectory } from "../arguments.ts"
import { daemonMount } from "../daemonMount.ts"

export const statsCommand = Command.make(
  "stats",
  {
    runtimeDirectory,
    mount: daemonMount,
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  (input) =>
    Effect.flatMap(
      load(() => import("../stats/stats.ts")),
      ({ stats }) => stats(input.runtimeDirectory, input.mount, input.json)
    )
).pipe(Command.withDescription("Say what a mount has done since the daemon started, by operation"))
