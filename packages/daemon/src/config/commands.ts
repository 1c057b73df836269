/** `bickford daemon` and `bickford check`: what starts from a configuration. */
import { printable } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { runDaemon } from "../keeper/daemon.ts"
import { metricsText } from "../metrics/metricsText.ts"
import { readVersion } from "../version.ts"
import { readConfig } from "./readConfig.ts"

/** Keeps the mounts of a configuration until it is told to stop. */
export const daemon = Effect.fnUntraced(function* (file: string | undefined) {
  // The file that was found then is the one that is read again.
  const { again } = yield* readConfig(file)
  yield* runDaemon({ version: readVersion(), load: again, metrics: metricsText })
})

/** A line for each mount; fails with everything that is wrong. */
export const check = Effect.fnUntraced(function* (file: string) {
  const { config } = yield* readConfig(file)
  for (const { mountpoint, name, options, source } of config.mounts) {
    yield* Console.log(
      printable(`${name}: ${source} at ${mountpoint}${options.length === 0 ? "" : ` (${options.join(",")})`}`)
    )
  }
})
