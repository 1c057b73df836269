/** Whether a store could be opened, without opening it. */
import * as Effect from "effect/Effect"
import { accessSync, constants, statSync } from "node:fs"
import { type CommandError, commandError } from "../CommandError.ts"

/** Fails when `store` is no file that this process may read and write. Does not open it: who serves it has its lock. */
export const checkReachable = (store: string): Effect.Effect<void, CommandError> =>
  Effect.try({
    try: () => {
      accessSync(store, constants.R_OK | constants.W_OK)
      if (!statSync(store).isFile()) throw new Error("is not a file")
    },
    catch: (error) => commandError(`${store}: ${error instanceof Error ? error.message : String(error)}`)
  })
