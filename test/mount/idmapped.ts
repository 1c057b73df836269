/** Idmapped mounts (mount_setattr(2)) for tests. */
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { commandsOn, mountpointFolder } from "./inProcess.ts"

/** What a mount's user and group 0 are in the idmapped one. */
export const first = 20_000

/** A fresh directory, for the life of the scope. */
export const scratchFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-idmapped-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** A command, as run by a user with no other groups. */
export const asUser = (uid: number, command: string, ...args: ReadonlyArray<string>) =>
  ["setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", command, ...args]] as const

/** A place for an idmapped mount of the mount at `mountpoint`, and the attempt to make it, with 1000 ids from `first` on. */
export const idmappedPlace = (mountpoint: string) =>
  Effect.gen(function* () {
    const { attempt, run } = commandsOn(mountpoint)
    const tool = join(yield* scratchFolder, "idmapped")
    yield* run("cc", ["-O1", "-Wall", "-Wextra", "-Werror", "-o", tool, join(root, "test/mount/idmapped.c")])
    const mapped = yield* mountpointFolder
    return { mapped, idmap: attempt(tool, [mountpoint, mapped, String(first), "1000"]) }
  })
