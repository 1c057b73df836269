/** `bickford daemon`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readVersion } from "../../version.ts"
import { load } from "../arguments.ts"

/** Keeps the mounts of a configuration until it is told to stop. */
const daemon = Effect.fnUntraced(function* (file: string | undefined) {
  const { metricsText, readConfig, runDaemon } = yield* load(() => import("@bickford/daemon/keeper"))
  // The file that was found then is the one that is read again.
  const { again, config } = yield* readConfig(file)
  yield* runDaemon({ version: readVersion(), config, load: again, metrics: metricsText })
})

export const daemonCommand = Command.make(
  "daemon",
  {
    config: Flag.File("config").pipe(
      Flag.withAlias("c"),
      Flag.withDescription("The configuration. Default: bickford.toml here, the user's own, or /etc/bickford.toml"),
      Flag.optional
    )
  },
  ({ config }) => daemon(Option.getOrUndefined(config))
).pipe(Command.withDescription("Keep the mounts of a configuration; SIGHUP reads it again"))
