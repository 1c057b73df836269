/** A mount of the daemon, as a person names it: by its name, or by where it is mounted. */
import { askStatus, commandError, type CommandError, type MountStatus } from "@bickford/daemon"
import { nearest } from "@bickford/protocol"
import * as Argument from "effect/cli/Argument"
import * as Effect from "effect/Effect"
import { realpathSync } from "node:fs"
import { resolve } from "node:path"

/** The argument of commands that take such a name. */
export const daemonMount = Argument.String("MOUNT").pipe(
  Argument.withDescription("A mount of the daemon: its name, or its mountpoint")
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
export const findDaemonMount = (socket: string, given: string): Effect.Effect<MountStatus, CommandError> =>
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
