/**
 * Mounts with a synchronous INIT, and never gets there: `startingSlowly.ts MOUNTPOINT WHERE`. It says `waiting` when its backend is
 * waited for (`source`), or when the backend's `init` is (`init`).
 */
import { memory, mount } from "bickford"
import * as Effect from "effect/Effect"

const [mountpoint = "", where] = process.argv.slice(2)

const waitingForEver = Effect.andThen(
  Effect.sync(() => void process.stdout.write("waiting\n")),
  Effect.never
)

const source = where === "source" ? waitingForEver : { ...memory(), init: () => waitingForEver }

await mount(mountpoint, source, { syncInit: true, startTimeout: "1 hour" })
