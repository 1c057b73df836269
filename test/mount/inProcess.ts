/**
 * A mount served by the test's own process, used by child processes: calls of this process's own into it
 * would wait for themselves. A command that hangs has the connection aborted under it.
 */
import { type BackendSource, type Mount, mount, type MountOptions } from "@bickford/session"
import { abortConnection, findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { rm } from "node:fs/promises"
import { makeMountpoint } from "./bickford.ts"
import { attempt, type Outcome, run, type RunOptions } from "./processes.ts"

interface InProcess {
  readonly mounted: Mount
  readonly mountpoint: string
  /** Runs a command to its end and gives what it wrote; fails when it does. */
  readonly run: (command: string, args: ReadonlyArray<string>, options?: RunOptions) => Effect.Effect<string>
  /** Runs a command to its end, however it ends. */
  readonly attempt: (command: string, args: ReadonlyArray<string>, options?: RunOptions) => Effect.Effect<Outcome>
}

/** Aborts the connection of a mount, if it is there. */
const abort = (mountpoint: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    const entry = findMount(mountpoint)
    return entry === undefined ? Effect.void : Effect.ignore(abortConnection(entry))
  })

/** A fresh folder to mount on, removed with the scope, when whatever is mounted there has been detached. */
export const mountpointFolder = Effect.acquireRelease(Effect.promise(makeMountpoint), (mountpoint) =>
  Effect.promise(async () => {
    while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true, force: true })
  })
)

/** Commands with a watchdog over the mount they work on. */
export const commandsOn = (mountpoint: string) => {
  const guard = (options: RunOptions | undefined): RunOptions => ({
    onTimeout: async () => {
      await Effect.runPromise(abort(mountpoint))
      return "the connection was aborted"
    },
    env: { ...process.env, LC_ALL: "C" },
    ...options
  })
  return {
    run: (command: string, args: ReadonlyArray<string>, options?: RunOptions) =>
      Effect.promise(() => run(command, args, guard(options))),
    attempt: (command: string, args: ReadonlyArray<string>, options?: RunOptions) =>
      Effect.promise(() => attempt(command, args, guard(options)))
  }
}

/** Mounts `backend` in a fresh folder, for the life of the scope. */
export const serve = (backend: BackendSource, options?: Omit<MountOptions, "mountpoint" | "backend">) =>
  Effect.gen(function* () {
    const mountpoint = yield* mountpointFolder
    const mounted = yield* mount({ mountpoint, backend, ...options })
    const served: InProcess = { mounted, mountpoint, ...commandsOn(mountpoint) }
    return served
  })
