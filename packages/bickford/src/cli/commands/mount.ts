/** `bickford mount`. */
import { sourcesHelp } from "@bickford/daemon"
import { optionsHelp } from "@bickford/daemon/options"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load, mountpoint } from "../arguments.ts"

export const mountCommand = Command.make(
  "mount",
  {
    source: Argument.String("SOURCE").pipe(Argument.withDescription(`What to serve: ${sourcesHelp}`)),
    mountpoint,
    options: Flag.String("options").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("OPTIONS"),
      Flag.withDescription("Mount options, separated by commas"),
      Flag.atLeast(0)
    ),
    background: Flag.Boolean("background").pipe(
      Flag.withDescription(
        "Return once it is mounted; it is served by a process of its own, whose log is the system's"
      ),
      Flag.withDefault(false)
    ),
    debug: Flag.Boolean("debug").pipe(
      Flag.withAlias("d"),
      Flag.withDescription("Write every request and reply to stderr"),
      Flag.withDefault(false)
    )
  },
  ({ background, ...request }) =>
    background
      ? Effect.flatMap(
          load(() => import("../mounting/background.ts")),
          ({ serveInBackground }) => serveInBackground(request)
        )
      : Effect.flatMap(
          load(() => import("../mounting/serve.ts")),
          ({ serve }) => serve(request)
        )
).pipe(
  Command.withDescription(
    `Mount a filesystem and serve it, until Ctrl-C or an unmount. Options for -o:\n\n${optionsHelp}`
  ),
  Command.withShortDescription("Mount a filesystem and serve it")
)
