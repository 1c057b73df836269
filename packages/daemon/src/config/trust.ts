/**
 * Whether a configuration that nobody has named may be used: it says which code runs as the user who starts the
 * daemon, so that nobody but this user and root may have written it, nor any directory on the way to it.
 */
import * as Effect from "effect/Effect"
import { realpathSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { type CommandError, commandError } from "../CommandError.ts"
import { findWeakness, type Weakness, weaknessOfEntry } from "../trustedPath.ts"

/**
 * Why a file may not be used unasked, if so. Its own directory may not even be sticky: its paths are taken from
 * there, and others could make what they name, or a hard link of somebody's configuration.
 */
const distrust = (file: string): Weakness | undefined => {
  const weakness = findWeakness(file)
  if (weakness !== undefined) return weakness
  for (const directory of [dirname(file), dirname(realpathSync(file))]) {
    const open = weaknessOfEntry(directory, statSync(directory))
    if (open !== undefined) return open
  }
  return undefined
}

/** Fails with what is wrong, and what to do, unless only this user and root can have written the file. */
export const checkTrust = (given: string): Effect.Effect<void, CommandError> =>
  Effect.suspend(() => {
    const file = resolve(given)
    try {
      const weakness = distrust(file)
      if (weakness === undefined) return Effect.void
      const { reason, remedy } = weakness
      return Effect.fail(
        commandError(
          `${file} was found, but not used: ${reason}, and it names code that runs as you; ${remedy}. If you mean it, name it: bickford daemon --config ${file}`
        )
      )
    } catch (error) {
      return Effect.fail(commandError(`${file}: ${error instanceof Error ? error.message : String(error)}`))
    }
  })
