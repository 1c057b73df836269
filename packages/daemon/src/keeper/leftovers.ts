/** What a keeper that died left behind: its workers, and mounts that nobody serves. */
import { patientTimeoutOrElse } from "@bickford/supervisor"
import { findMount, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { type CommandError, commandError } from "../CommandError.ts"
import { type DaemonState, isAlive, type MountRecord, type ProcessIdentity } from "./stateFile.ts"

/** A worker without its keeper drains and exits by itself; one that does not in time is killed. */
const workerPatience = 7000

const awaitEnd = (worker: ProcessIdentity): Effect.Effect<void> =>
  Effect.gen(function* () {
    const gone = Effect.gen(function* () {
      while (isAlive(worker)) yield* Effect.sleep(20)
    })
    const killed = Effect.suspend(() => {
      if (isAlive(worker)) process.kill(worker.pid, "SIGKILL")
      return gone
    })
    yield* gone.pipe(patientTimeoutOrElse({ duration: workerPatience, orElse: () => killed }))
  }).pipe(Effect.catchDefect(() => Effect.void))

/** Detaches what is still mounted there, if it is the very mount that was ours. */
const reap = ({ device, mountpoint, name }: MountRecord): Effect.Effect<void> =>
  Effect.suspend(() => {
    const there = findMount(mountpoint)
    if (there?.device !== device || !there.type.startsWith("fuse")) return Effect.void
    return Effect.ignore(unmountDevice({ mountpoint, device }, { lazy: true })).pipe(
      Effect.andThen(Effect.logWarning(`${mountpoint} was left dead by an earlier daemon, and is detached`)),
      Effect.annotateLogs("mount", name)
    )
  })

/**
 * Waits for the workers of a keeper that is gone, then detaches its mounts, but for those whose device is
 * held (by name). Fails when that keeper still runs.
 */
export const clearLeftovers = Effect.fnUntraced(function* (
  state: DaemonState,
  held: ReadonlySet<string>
): Effect.fn.Return<void, CommandError> {
  if (isAlive(state.keeper))
    return yield* Effect.fail(commandError(`another daemon keeps these mounts: process ${state.keeper.pid}`))
  yield* Effect.forEach(state.mounts, ({ worker }) => (worker === undefined ? Effect.void : awaitEnd(worker)), {
    concurrency: "unbounded",
    discard: true
  })
  yield* Effect.forEach(state.mounts, (mount) => (held.has(mount.name) ? Effect.void : reap(mount)), { discard: true })
})
