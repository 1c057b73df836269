/** `bickford daemon` and `bickford check`: what starts from a configuration. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { runDaemon } from "../keeper/daemon.ts"
import { metricsText } from "../metrics/metricsText.ts"
import { readVersion } from "../version.ts"
import { readConfig } from "./readConfig.ts"

/** Keeps the mounts of a configuration until it is told to stop. */
export const daemon = Effect.fnUntraced(function*(file: string | undefined) {
  const found = yield* readConfig(file)
  // The file that was found then is the one that is read again.
  const load = Effect.map(Effect.suspend(() => readConfig(found.file)), ({ config }) => config)
  yield* runDaemon({ version: readVersion(), load, metrics: metricsText })
})

/** A line for each mount; fails with everything that is wrong. */
export const check = Effect.fnUntraced(function*(file: string) {
  const { config } = yield* readConfig(file)
  for (const { mountpoint, name, options, source } of config.mounts) {
    yield* Console.log(`${name}: ${source} at ${mountpoint}${options.length === 0 ? "" : ` (${options.join(",")})`}`)
  }
})
