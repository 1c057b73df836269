/** The daemon's runtime directory, which is to be this user's alone. */
import * as Effect from "effect/Effect"
import { closeSync, constants, fchmodSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { type CommandError, commandError } from "../CommandError.ts"
import { findWeakness } from "../trustedPath.ts"

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** The errno of opening a symbolic link, or what is no directory, with `O_NOFOLLOW | O_DIRECTORY`. */
const notDirectory: ReadonlySet<string> = new Set(["ELOOP", "ENOTDIR"])

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "")

const openDirectory = (path: string): number => {
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (error) {
    if (!notDirectory.has(codeOf(error))) throw error
    const what = lstatSync(path).isSymbolicLink() ? "a symbolic link" : "no directory"
    throw new Error(`is ${what}; name the directory itself in runtime_directory`, { cause: error })
  }
}

/** Whoever may rename what is in a directory, or above it, can put a directory of their own in its place. */
const checkAncestors = (path: string): void => {
  const weakness = findWeakness(dirname(path))
  if (weakness === undefined) return
  throw new Error(`can be replaced by others: ${weakness.reason}; ${weakness.remedy}, or use another directory`)
}

/** What others have put there would be used as the daemon's own. */
const checkEntries = (path: string, owner: number): void => {
  for (const name of readdirSync(path)) {
    const uid = lstatSync(join(path, name), { throwIfNoEntry: false })?.uid ?? owner
    if (uid !== owner)
      throw new Error(`holds ${name}, which belongs to user ${uid}; remove it, or use another directory`)
  }
}

const makePrivate = (path: string): void => {
  // Before, so that nothing is made in others' places; after, of what was made.
  checkAncestors(path)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  checkAncestors(path)
  const directory = openDirectory(path)
  try {
    const { uid } = fstatSync(directory)
    if (uid !== process.geteuid?.()) throw new Error(`belongs to user ${uid}; use another directory`)
    // By its descriptor: the path may name another directory by now.
    fchmodSync(directory, 0o700)
    checkEntries(`/proc/self/fd/${directory}`, uid)
  } finally {
    closeSync(directory)
  }
}

/**
 * Makes a directory for this user alone, or sees to it that the one that is there is. Refused are links, others'
 * directories, directories that others may replace, and those that hold files of others.
 */
export const makeRuntimeDirectory = (path: string): Effect.Effect<void, CommandError> =>
  Effect.try({
    try: () => makePrivate(path),
    catch: (error) =>
      commandError(`the runtime directory ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })
