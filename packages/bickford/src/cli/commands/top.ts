/** `bickford top`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load, runtimeDirectory } from "../arguments.ts"

export const topCommand = Command.make(
  "top",
  {
    runtimeDirectory,
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("Watch for one second, and print the result once"),
      Flag.withDefault(false)
    )
  },
  (input) =>
    Effect.flatMap(
      load(() => import("../top/top.ts")),
      ({ top }) => top(input.runtimeDirectory, input.once)
    )
).pipe(Command.withDescription("Watch the daemon's mounts, live; q ends it"))
