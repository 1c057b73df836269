/** A mount of the daemon, as a person names it: by its name, or by where it is mounted. */
import {
  askStatus,
  commandError,
  type CommandError,
  directSocketOf,
  type MountStatus,
  socketIn
} from "@bickford/daemon"
import { nearest } from "@bickford/protocol"
import { findMount } from "@bickford/transport"
import * as Argument from "effect/cli/Argument"
import * as Effect from "effect/Effect"
import { existsSync, realpathSync } from "node:fs"
import { resolve } from "node:path"

/** The argument of commands that ask whoever serves a mount. */
export const askedMount = Argument.String("MOUNT").pipe(
  Argument.withDescription("A mountpoint; or a mount of the daemon, by its name")
)

/** The path without links; as it was given where it cannot be followed. The parent's, so that no call goes to the mount. */
const placeOf = (given: string): string => {
  const path = resolve(given)
  try {
    return resolve(realpathSync(resolve(path, "..")), path.split("/").at(-1) ?? "")
  } catch {
    return path
  }
}

/** Fails when the daemon at `socket` has no such mount. */
const findDaemonMount = (socket: string, given: string): Effect.Effect<MountStatus, CommandError> =>
  Effect.flatMap(askStatus(socket), ({ mounts }) => {
    const found =
      mounts.find(({ name }) => name === given) ?? mounts.find(({ mountpoint }) => mountpoint === placeOf(given))
    if (found !== undefined) return Effect.succeed(found)
    const near = nearest(
      given,
      mounts.map(({ name }) => name)
    )
    return Effect.fail(
      commandError(`the daemon has no mount ${given}${near === undefined ? "" : `; did you mean ${near}?`}`)
    )
  })

/** Who is asked of a mount: the daemon that keeps it, or the process of `bickford mount`. */
export type AskedMount =
  | { readonly servedBy: "daemon"; readonly socket: string; readonly mount: MountStatus }
  | { readonly servedBy: "itself"; readonly socket: string }

/** Finds a mount of the daemon at `runtimeDirectory`, or one that its own process answers for. Fails when there is neither. */
export const findAskedMount = (runtimeDirectory: string, given: string): Effect.Effect<AskedMount, CommandError> => {
  const socket = socketIn(runtimeDirectory)
  return findDaemonMount(socket, given).pipe(
    Effect.map((mount): AskedMount => ({ servedBy: "daemon", socket, mount })),
    Effect.catch((error) => {
      const entry = findMount(placeOf(given))
      if (entry === undefined) return Effect.fail(error)
      const own = directSocketOf(entry.device)
      return existsSync(own)
        ? Effect.succeed<AskedMount>({ servedBy: "itself", socket: own })
        : Effect.fail(
            commandError(
              `${given} is a mount of ${entry.type} that cannot be asked: the daemon's and those of bickford mount can`
            )
          )
    })
  )
}
