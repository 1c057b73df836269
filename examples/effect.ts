/** Effect's `FileSystem` service, mounted: `npm run example -- effect DIRECTORY MOUNTPOINT`. Whatever implements the service will do. */
import { fromEffect } from "@bickford/faces"
import { mount } from "@bickford/session"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"

const [root = "/tmp", mountpoint = "mnt"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const fs = yield* FileSystem
  const mounted = yield* mount({ mountpoint, backend: fromEffect(fs, { root }) })
  yield* Effect.sync(() => console.log(`serving ${mounted.mountpoint}`))
  const end = yield* mounted.awaitEnd
  yield* Effect.sync(() => console.log(`ended: ${end.reason}`))
})

program.pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer), NodeRuntime.runMain)
