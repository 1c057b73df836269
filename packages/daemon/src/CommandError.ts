import * as Data from "effect/Data"

/** What a command fails with: one line for the person who typed it. */
export class CommandError extends Data.TaggedError("CommandError")<{
  /** What is wrong, and what to do. */
  readonly message: string
}> {}

export const commandError = (message: string): CommandError => new CommandError({ message })
