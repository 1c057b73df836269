/** SOURCE, the first argument of `bickford mount`: which filesystem, and of what. */
import { memory } from "@bickford/backends"
import type { BackendSource } from "@bickford/session"
import * as Result from "effect/Result"
import { type CommandError, commandError } from "./CommandError.ts"
import type { ParsedOptions } from "./mountOptions.ts"

/** The backend for `source`: `memory:`, which is empty at each start. */
export const backendFor = (source: string, options: ParsedOptions): Result.Result<BackendSource, CommandError> =>
  source === "memory:"
    ? Result.succeed(memory(options.memory))
    : Result.fail(commandError(`unknown source ${source}; known: memory:`))
