/** A program of Effect's that works on a filesystem without a mount: `npm run example -- layer STORE`. Another layer, other files. */
import { share, toEffectLayer } from "@bickford/faces"
import { sqlite } from "bickford"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"

const program = Effect.gen(function* () {
  const fs = yield* FileSystem
  yield* fs.makeDirectory("/notes", { recursive: true })
  yield* fs.writeFileString("/notes/today.txt", "kept in one file\n")
  for (const name of yield* fs.readDirectory("/", { recursive: true })) yield* Effect.sync(() => console.log(name))
  return yield* fs.readFileString("/notes/today.txt")
})

await using shared = await share(sqlite(process.argv[2] ?? "store.db"))
console.log(await Effect.runPromise(Effect.provide(program, toEffectLayer(shared))))
