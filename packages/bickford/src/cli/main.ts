/** The `bickford` program. */
import { commandError } from "@bickford/daemon/CommandError"
import { ignoreStrayedSignals } from "@bickford/daemon/strayedSignals"
import { printable, printableLogLine, protocolVersion } from "@bickford/protocol"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import type * as CliError from "effect/cli/CliError"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { tellStarter } from "./starter.ts"
import { readVersion } from "../version.ts"

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, " ")

/** One line, whatever it tells of. */
const complain = (text: string): Effect.Effect<void> => Console.error(`bickford: ${printable(text.trim())}`)

/** Help where it was asked for; a wrong invocation is one line, as every error. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? complain(
          `${event.errors.map((error) => oneLine(error.message)).join("; ")} (see ${event.commandPath.join(" ")} --help)`
        )
      : CliOutput.defaultPresenter.present(event)
}

const isShowHelp = (error: unknown): error is CliError.ShowHelp =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ShowHelp"

const messageOf = (error: unknown): string =>
  typeof error === "object" &&
  error !== null &&
  "message" in error &&
  typeof error.message === "string" &&
  error.message !== ""
    ? error.message
    : String(error)

const exitStatus = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  const error = Cause.squash(cause)
  // Help and wrong invocations were presented already.
  if (isShowHelp(error)) return Effect.succeed(error.errors.length === 0 ? 0 : 2)
  tellStarter({ failed: messageOf(error) })
  return Effect.as(complain(messageOf(error)), 1)
}

const layers = Layer.mergeAll(
  NodeServices.layer,
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
  CliOutput.layerPresenter(presenter),
  // As logToStderr of @bickford/session, which is loaded later, with the addon.
  Logger.layer([Logger.withConsoleError(Logger.map(Logger.formatLogFmt, printableLogLine))])
)

/** Loads the addon, which may not be there: an error like any other. */
const loadCommands = Effect.tryPromise({
  try: async () => ({ ...(await import("./bickford.ts")), ...(await import("./libfuseArguments.ts")) }),
  catch: (error) => commandError(oneLine(messageOf(error)))
})

const program = loadCommands.pipe(
  Effect.flatMap(({ bickford, fromLibfuseArguments }) => {
    const asked = fromLibfuseArguments(process.argv.slice(2))
    const version = `${readVersion()}\nFUSE protocol version ${protocolVersion.major}.${protocolVersion.minor}`
    return "_tag" in asked ? Effect.fail(asked) : Command.runWith(bickford, { version })(asked)
  }),
  // What `run` ran may have ended with another.
  Effect.map(() => Number(process.exitCode ?? 0)),
  Effect.catchCause(exitStatus),
  Effect.provide(layers)
)

ignoreStrayedSignals()

/** Ends once everything was written: what a pipe has no room for yet would be lost. */
const exitWhenWritten = (status: number): void => {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(status)))
}

Effect.runFork(program).addObserver((exit) => exitWhenWritten(Exit.isSuccess(exit) ? exit.value : 1))
