/**
 * Whether a configuration that nobody has named may be used: it says which code runs as the user who starts the
 * daemon, so it must be that user's, or root's.
 */
import * as Effect from "effect/Effect"
import { lstatSync, realpathSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, resolve } from "node:path"
import { type CommandError, commandError } from "../CommandError.ts"

/** Group and others for root; others for a user, whose group may be his alone. */
const writableByOthers = (user: number): number => user === 0 ? 0o022 : 0o002

const nameOf = (uid: number): string => uid === process.geteuid?.() ? userInfo().username : `user ${uid}`

interface Place {
  readonly path: string
  readonly uid: number
  readonly mode: number
}

const places = (file: string): ReadonlyArray<Place> => {
  const target = realpathSync(file)
  // A link has no permissions of its own.
  const link = lstatSync(file)
  return [
    { path: file, uid: link.uid, mode: link.isSymbolicLink() ? 0 : link.mode },
    ...[target, dirname(file), dirname(target)].map((path) => ({ path, uid: statSync(path).uid, mode: statSync(path).mode }))
  ]
}

/** Why a file may not be used unasked, if so. */
const distrust = (file: string, user: number): string | undefined => {
  for (const { mode, path, uid } of places(file)) {
    if (uid !== 0 && uid !== user) return `${path} belongs to ${nameOf(uid)}, whose code it would run as ${nameOf(user)}`
    if ((mode & writableByOthers(user)) !== 0) return `${path} can be written by others (mode ${(mode & 0o7777).toString(8)}), whose code it would run as ${nameOf(user)}`
  }
  return undefined
}

/** Fails with what is wrong, and what to do, unless the file and its directory are this user's or root's. */
export const checkTrust = (given: string): Effect.Effect<void, CommandError> =>
  Effect.suspend(() => {
    const file = resolve(given)
    try {
      const reason = distrust(file, process.geteuid?.() ?? 0)
      if (reason === undefined) return Effect.void
      return Effect.fail(commandError(`${file} was found, but not used: ${reason}. If you mean it, name it: bickford daemon --config ${file}`))
    } catch (error) {
      return Effect.fail(commandError(`${file}: ${error instanceof Error ? error.message : String(error)}`))
    }
  })
