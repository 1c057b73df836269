/** What a command fails with: one line for the person who typed it. */
export interface CommandError {
  readonly _tag: "CommandError"
  readonly message: string
}

export const commandError = (message: string): CommandError => ({ _tag: "CommandError", message })
