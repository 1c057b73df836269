/** A daemon whose configuration is a DaemonConfig as JSON: `daemon.ts FILE`. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { readFileSync } from "node:fs"
import { type CommandError, commandError } from "../../../packages/daemon/src/CommandError.ts"
import type { DaemonConfig } from "../../../packages/daemon/src/config/DaemonConfig.ts"
import { runDaemon } from "../../../packages/daemon/src/keeper/daemon.ts"

const [file = ""] = process.argv.slice(2)

const load: Effect.Effect<DaemonConfig, CommandError> = Effect.try({
  try: (): DaemonConfig => JSON.parse(readFileSync(file, "utf8")),
  catch: (error) => commandError(String(error))
})

const program = runDaemon({ version: "test", load, metrics: () => "" }).pipe(
  Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
)
Effect.runFork(program).addObserver((exit) => {
  if (exit._tag === "Failure") console.error(String(exit.cause))
  process.exit(exit._tag === "Success" ? 0 : 1)
})
