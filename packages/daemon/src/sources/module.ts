/** `module:PATH`, a person's own filesystem. */
import { importModule, loadBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { type CommandError, commandError } from "../CommandError.ts"
import { describeModuleError } from "./moduleError.ts"
import { lendOwnPackages } from "./ownPackages.ts"
import { checkRegularFile } from "../regularFile.ts"
import type { SourceKind } from "./SourceKind.ts"

const urlOf = (path: string): string => pathToFileURL(resolve(path)).href

/** Tells the log, or the person at the terminal, the stack; what a command says of it is one line. */
const failure = (path: string, error: unknown): CommandError => {
  const { message, stack } = describeModuleError(resolve(path), error)
  if (stack !== "") console.error(stack)
  return commandError(`module:${path}: ${message}`)
}

/** An import reads the file synchronously: of a pipe, no signal would end it. */
const checkFile = (path: string): Effect.Effect<void, CommandError> =>
  Effect.try({
    try: () => checkRegularFile(path),
    catch: (error) => commandError(`module:${path}: ${error instanceof Error ? error.message : String(error)}`)
  })

export const moduleSource: SourceKind = {
  kind: "module",
  operand: "PATH",
  help: "the export `backend` of a module",
  needs: "the path of a module that exports a backend",
  exclusive: false,
  covered: undefined,
  options: [],
  refuses: {},
  load: async (path) => {
    await Effect.runPromise(Effect.mapError(checkFile(path), ({ message }) => new Error(message)))
    lendOwnPackages()
    return importModule(urlOf(path)).catch((error: unknown) => {
      throw new Error(failure(path, error).message)
    })
  },
  open: (path) =>
    Effect.suspend(() => {
      lendOwnPackages()
      return Effect.andThen(
        checkFile(path),
        Effect.mapError(loadBackend(urlOf(path)), (error) => failure(path, error))
      )
    })
}
