/** For `bickford mount module:`: Effect's FileSystem of the machine, below `FACES_ROOT`. */
import { fromEffect } from "@bickford/faces"
import { layer } from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"

export const backend = () =>
  fromEffect(Effect.runSync(Effect.provide(FileSystem, layer)), { root: process.env["FACES_ROOT"] ?? "/nonexistent" })
