/** Errors that go from one thread to another. */

/** An error as data. */
export interface PlainError {
  readonly _tag: string
  readonly message: string
}

/** An error, whatever was thrown, as data. */
export const plainError = (error: unknown): PlainError => {
  const message =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
  return {
    _tag: typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "Error",
    message
  }
}
