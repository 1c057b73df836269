/** Serves two mounts and calls synchronously into the first: `twoMounts.ts MOUNTPOINT OTHER`. Says what became of both. */
import { memory } from "@bickford/backends"
import { mount } from "@bickford/session"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { statSync } from "node:fs"
import { join } from "node:path"

const [first = "", second = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const mounted = yield* mount({ mountpoint: first, backend: memory(), selfWaitTimeout: "1 second" })
  yield* mount({ mountpoint: second, backend: memory(), selfWaitTimeout: "1 second" })
  // While the call lasts, calls wait for the second as well.
  const other = new Promise<string>((resolve) =>
    execFile("sh", ["-c", `sleep 0.3; ls -d ${second}/.`], (error) => resolve(error === null ? "answered" : "failed"))
  )
  yield* Effect.ignore(Effect.try(() => statSync(join(first, "file"))))
  console.log(
    `first ${(yield* mounted.awaitEnd).reason}, second ${yield* Effect.promise(() => other)}, ${findMount(second) === undefined ? "gone" : "there"}`
  )
})

await Effect.runPromise(Effect.scoped(program))
