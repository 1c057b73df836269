/** Base directories and stores for tests, in a directory of their own that goes with the scope. */
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Where a base lies, and a branch's store that is not there yet. */
export interface Places {
  readonly base: string
  readonly store: string
}

/** An empty base, of mode 755. */
export const newPlaces: Effect.Effect<Places, never, import("effect/Scope").Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-workspace-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(
  Effect.map((folder) => {
    const base = join(folder, "base")
    mkdirSync(base)
    return { base, store: join(folder, "branch.store") }
  })
)
