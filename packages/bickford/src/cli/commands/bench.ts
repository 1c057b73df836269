/** `bickford bench`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { load, mountpoint } from "../arguments.ts"

export const benchCommand = Command.make(
  "bench",
  {
    mountpoint,
    beside: Flag.Directory("beside").pipe(
      Flag.withDescription(
        "The directory to compare with; by default what passthrough: shows, and for other sources the directory of temporary files"
      ),
      Flag.optional
    ),
    milliseconds: Flag.Int("milliseconds").pipe(
      Flag.withDescription("How long each operation is done in each of both directories"),
      Flag.withDefault(1000)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  ({ beside, json, milliseconds, mountpoint: where }) =>
    Effect.flatMap(
      load(() => import("../bench/bench.ts")),
      ({ bench }) =>
        bench({ mountpoint: where, beside: Option.getOrUndefined(beside), seconds: milliseconds / 1000, json })
    )
).pipe(Command.withDescription("Measure how fast a mount is here, beside the directory underneath"))
