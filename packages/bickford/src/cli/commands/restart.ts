/** `bickford restart`. */
import { ask, socketIn } from "@bickford/daemon"
import { printable } from "@bickford/protocol"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { mountName, mountPath, runtimeDirectory } from "../arguments.ts"

/** Says again and again that a restart is not over. */
const waiting = (name: string): Effect.Effect<never> =>
  Console.error(`${printable(name)}: waiting for the new worker (at most start_timeout); what serves now goes on`).pipe(
    Effect.delay("3 seconds"),
    Effect.forever
  )

/** Replaces a mount's worker, from the code as it is now; its connection stays. */
const restart = Effect.fnUntraced(function* (directory: string, name: string) {
  const began = Date.now()
  yield* Effect.raceFirst(ask(socketIn(directory), "POST", mountPath(name, "restart")), waiting(name))
  yield* Console.log(`${printable(name)} is served by a new worker, after ${Date.now() - began} ms`)
})

export const restartCommand = Command.make("restart", { runtimeDirectory, name: mountName }, (input) =>
  restart(input.runtimeDirectory, input.name)
).pipe(Command.withDescription("Have a new worker serve a mount, from the code as it is now; no call fails"))
