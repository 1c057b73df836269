/** The filesystems that are fuzzed, each made anew for every life of a connection. */
import { memory, passthrough, sqlite } from "@bickford/backends"
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { memoryPaths } from "../path/memoryPaths.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-fuzz-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const capacity = 64 << 20

export const fuzzed = {
  memory: Effect.sync(() => memory({ capacity })),
  sqlite: Effect.map(temporaryFolder, (folder): BackendSource => sqlite(join(folder, "store"), { capacity })),
  path: Effect.sync(() => memoryPaths()),
  passthrough: Effect.map(temporaryFolder, (folder): BackendSource => passthrough(folder))
} satisfies { readonly [name: string]: Effect.Effect<BackendSource, never, Scope.Scope> }

export type FuzzedName = keyof typeof fuzzed

export const isFuzzedName = (name: string): name is FuzzedName => name in fuzzed
