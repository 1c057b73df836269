/** The thread of a program's own that mounts what it is told, and says so; it does nothing about its end. */
import { memory } from "@bickford/backends"
import { type Backend, mount, type MountOptions } from "@bickford/session"
import * as Effect from "effect/Effect"
import { parentPort, workerData } from "node:worker_threads"

/** `slowly`: the backend's `init` never ends. */
const { slowly, ...options }: Omit<MountOptions, "backend"> & { readonly slowly?: boolean } = workerData

const say = (word: string) => Effect.sync(() => parentPort?.postMessage(word))
const kept = memory()

const backend: Backend = {
  ...kept,
  // A look at `stuck` is not answered.
  lookup: (request, context) =>
    request.name === "stuck"
      ? Effect.andThen(say("asked"), Effect.uninterruptible(Effect.never))
      : (kept.lookup?.(request, context) ?? Effect.die("no lookup")),
  ...(slowly === true ? { init: () => Effect.andThen(say("waiting"), Effect.never) } : {})
}

Effect.runFork(
  Effect.scoped(mount({ ...options, backend }).pipe(Effect.andThen(say("mounted")), Effect.andThen(Effect.never)))
)
