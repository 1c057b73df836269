/** `bickford unmount`. */
import { ask, askStatus, commandError, socketIn } from "@bickford/daemon"
import { describeMount, findMount, isFuse, unmountDevice } from "@bickford/transport"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { mountPath, runtimeDirectory } from "../arguments.ts"
import { canonical } from "../mounting/mountpoint.ts"

/** Unmounts a FUSE filesystem, ours or another's, dead or alive. */
const unmount = Effect.fnUntraced(function* (path: string, lazy: boolean) {
  const place = yield* canonical(path)
  const mounted = findMount(place)
  if (mounted === undefined) return yield* Effect.fail(commandError(`${place} is not a mountpoint`))
  if (!isFuse(mounted)) {
    return yield* Effect.fail(
      commandError(`${place} is left alone: it is not a FUSE filesystem but ${yield* describeMount(mounted)}`)
    )
  }
  yield* Effect.mapError(unmountDevice({ mountpoint: place }, { lazy }), (error) =>
    commandError(error.code === "EBUSY" ? `${place} is busy; --lazy detaches it all the same` : error.message)
  )
})

/** Unmounts what the daemon keeps: by the mount's name, or its mountpoint. */
const unmountKept = Effect.fnUntraced(function* (directory: string, target: string, lazy: boolean) {
  const socket = socketIn(directory)
  const { mounts } = yield* askStatus(socket)
  const found = mounts.find(({ mountpoint, name }) => name === target || mountpoint === target)
  if (found === undefined) return yield* Effect.fail(commandError(`the daemon has no mount ${target}`))
  yield* ask(socket, "POST", `${mountPath(found.name, "unmount")}${lazy ? "?lazy" : ""}`)
})

/** Whether a daemon that runs keeps a mount of this name, or at this mountpoint. */
const isKept = (directory: string, target: string): Effect.Effect<boolean> =>
  askStatus(socketIn(directory)).pipe(
    Effect.map(({ mounts }) =>
      mounts.some(
        ({ mountpoint, name, state }) =>
          (name === target || mountpoint === target) && state !== "stopped" && state !== "failed"
      )
    ),
    Effect.catch(() => Effect.succeed(false))
  )

export const unmountCommand = Command.make(
  "unmount",
  {
    target: Argument.String("NAME|MOUNTPOINT").pipe(
      Argument.withDescription("A mount of the daemon, or any FUSE mount")
    ),
    runtimeDirectory,
    lazy: Flag.Boolean("lazy").pipe(
      Flag.withAlias("l"),
      Flag.withDescription("Detach it now, though busy; it ends when its last user does"),
      Flag.withDefault(false)
    )
  },
  ({ lazy, runtimeDirectory, target }) =>
    Effect.flatMap(isKept(runtimeDirectory, target), (kept) =>
      kept ? unmountKept(runtimeDirectory, target, lazy) : unmount(target, lazy)
    )
).pipe(Command.withDescription("Unmount a FUSE filesystem"))
