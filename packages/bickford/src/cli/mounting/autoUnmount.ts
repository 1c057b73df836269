/** `-o auto_unmount`: no dead mountpoint is left by a server that was killed. */
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"

/** Waits until nobody holds its standard input any more, then takes the mount away that was there, and no other. */
const watcher = `
cat >/dev/null
listed="$1" device="$2" awk '$5 == ENVIRON["listed"] && $3 == ENVIRON["device"] { found = 1 } END { exit !found }' /proc/self/mountinfo || exit 0
umount -l "$0" 2>/dev/null || fusermount3 -u -z "$0"`

/** A mountpoint as mountinfo writes it. Not for awk -v, which would undo it. */
const escaped = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`)

/** Has a process of its own unmount `mountpoint` when this one has died. */
export const unmountAfterDeath = (mountpoint: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const entry = findMount(mountpoint)
    if (entry === undefined) return Effect.void
    const watching = spawn("sh", ["-c", watcher, mountpoint, escaped(mountpoint), entry.device], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore"]
    })
    watching.on("error", () => {})
    watching.unref()
    // Whoever unmounts in order needs no watcher.
    return Effect.addFinalizer(() => Effect.sync(() => void watching.kill("SIGKILL")))
  })
