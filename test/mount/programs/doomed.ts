/** For mounts in worker threads: a look at `exit` ends the thread, one at `spin` occupies it for ever. */
import { memory } from "@bickford/backends"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"

const kept = memory()

export const backend: Backend = {
  ...kept,
  lookup: (request, context) => {
    if (request.name === "exit") process.exit(3)
    if (request.name === "spin") for (;;);
    return kept.lookup?.(request, context) ?? Effect.die("no lookup")
  }
}
