/** Why an archive cannot be served. */
import * as Data from "effect/Data"

/** An archive cannot be served. */
export class ArchiveError extends Data.TaggedError("ArchiveError")<{
  /** Names the archive, and says what to do where something can be done. */
  readonly message: string
}> {}

/** An `ArchiveError` out of what was thrown. */
export const archiveError = (path: string, error: unknown): ArchiveError =>
  new ArchiveError({ message: `${path}: ${error instanceof Error ? error.message : String(error)}` })

/** Loads a library that is installed only where it is used. */
export const loaded = async <A>(name: string, load: () => Promise<A>): Promise<A> =>
  load().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error
    throw new Error(`needs the package ${name}: npm install ${name}`, { cause: error })
  })
