/** Why a server's files cannot be served. */
import * as Data from "effect/Data"

/** The files of a server cannot be served. */
export class RemoteError extends Data.TaggedError("RemoteError")<{
  /** Names the URL or the bucket, and says what is wrong. */
  readonly message: string
}> {}
