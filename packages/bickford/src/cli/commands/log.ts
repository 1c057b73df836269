/** `bickford log`. */
import { follow, socketIn } from "@bickford/daemon"
import * as Command from "effect/cli/Command"
import { mountName, mountPath, runtimeDirectory } from "../arguments.ts"

/** Prints a mount's wire log, until it is interrupted or the daemon ends. */
const log = (directory: string, name: string) =>
  follow(socketIn(directory), mountPath(name, "log"), (text) => void process.stdout.write(text))

export const logCommand = Command.make("log", { runtimeDirectory, name: mountName }, (input) =>
  log(input.runtimeDirectory, input.name)
).pipe(Command.withDescription("Watch every request and reply of a mount, until Ctrl-C"))
