/** `bickford dashboard`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { load, runtimeDirectory } from "../arguments.ts"

const port = Flag.Int("port").pipe(
  Flag.withDescription("The port of 127.0.0.1 that serves the page (default: the daemon's own, or any that is free)"),
  Flag.optional
)

export const dashboardCommand = Command.make("dashboard", { runtimeDirectory, port }, (input) =>
  Effect.flatMap(
    load(() => import("../dashboard/dashboard.ts")),
    ({ dashboard }) => dashboard(input.runtimeDirectory, Option.getOrUndefined(input.port))
  )
).pipe(Command.withDescription("Print the address of a page that shows, and controls, what the daemon does"))
