/** Uses its own mountpoint synchronously: `synchronous.ts MOUNTPOINT worker|thread`. */
import { memory } from "@bickford/backends"
import { mount, mountWorker } from "@bickford/session"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const [mountpoint = "", form] = process.argv.slice(2)

const use = Effect.sync(() => {
  writeFileSync(join(mountpoint, "file"), "text")
  mkdirSync(join(mountpoint, "folder"))
  console.log(
    readdirSync(mountpoint).join(),
    readFileSync(join(mountpoint, "file"), "utf8"),
    execFileSync("cat", ["file"], { cwd: mountpoint, encoding: "utf8" })
  )
})

const program = Effect.gen(function* () {
  if (form === "worker") {
    yield* mountWorker(new URL("./filesystem.ts", import.meta.url), { mountpoint })
    yield* use
    return "unmounting"
  }
  const mounted = yield* mount({ mountpoint, backend: memory() })
  yield* Effect.catchDefect(use, (defect) =>
    Effect.sync(() => console.log(defect instanceof Error && "code" in defect ? defect.code : defect))
  )
  return (yield* mounted.awaitEnd).reason
})

console.log(await Effect.runPromise(Effect.scoped(program)))
