/**
 * `node test/soak/isolates.ts --seconds N` (default 600), as root: as `soak.ts`, on a directory that an isolate for each CPU serves over
 * io_uring. Operations die at random (1 in 100), and each thread after 500 lookups, about. Prints what came of it and ends with 1 when the
 * failure contract was broken.
 */
import { type Backend, mountEffect as mount, passthrough, servedByIsolates } from "bickford"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { offeringRings } from "../mount/enableUring.ts"
import type { Brittle } from "./brittleIsolate.ts"
import { runClient } from "./runClient.ts"

const { values } = parseArgs({ options: { seconds: { type: "string", default: "600" } } })
const seconds = Number(values.seconds)
const processes = 4
const lookups = 500

const folder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "bickford-soak-")))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** What descriptors are of, sorted; but for what Node keeps of programs that it has run. */
const descriptors = (): ReadonlyArray<string> =>
  readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
    .filter((place) => place !== "/dev/null")
    .sort()
const mebibytes = (): number => Math.round(process.memoryUsage().rss / 2 ** 20)

let restarts = 0
const counted = Logger.make(({ message }) => {
  if (String(message).includes("was started again")) restarts++
})

/** The directory, as isolates serve it whose operations and threads die. */
const brittle = (directory: string) =>
  Effect.map(passthrough(directory, { shared: true }), (kept): Backend => {
    const { shared } = kept
    if (shared === undefined) return kept
    const data: Brittle = { ...shared, lookups }
    return servedByIsolates({ ...kept }, { module: new URL("brittleIsolate.ts", import.meta.url).href, data })
  })

const served = Effect.gen(function* () {
  const mountpoint = yield* folder
  const directory = yield* folder
  const session = { maxRestarts: Number.MAX_SAFE_INTEGER }
  const mounted = yield* offeringRings(mount({ mountpoint, backend: brittle(directory), threads: "auto", session }))
  const { isolates } = mounted.session.connection
  const wrong: Array<string> = []
  if ((isolates?.serving() ?? 0) < 2) wrong.push("it is not served by several isolates")
  const reports = yield* Effect.all(
    Array.from({ length: processes }, (_, n) => runClient(join(mountpoint, `client${n}`), seconds, "ECANCELED")),
    { concurrency: "unbounded" }
  )
  wrong.push(...reports.flatMap((report) => report.wrong))
  if (mounted.session.connection.ended !== undefined) wrong.push("the mount is gone")
  const left = readdirSync(directory)
  if (left.length > 0) wrong.push(`${left.join(", ")} is left behind`)
  return {
    calls: reports.reduce((sum, { calls }) => sum + calls, 0),
    failed: reports.reduce((sum, { failed }) => sum + failed, 0),
    slowestMilliseconds: Math.round(Math.max(...reports.map(({ slowest }) => slowest))),
    wrong
  }
})

const program = Effect.gen(function* () {
  // What the first mount loads and makes once is there.
  yield* Effect.scoped(
    Effect.flatMap(folder, (mountpoint) =>
      Effect.flatMap(folder, (directory) =>
        offeringRings(mount({ mountpoint, backend: passthrough(directory, { shared: true }), threads: "auto" }))
      )
    )
  )
  const before = { descriptors: descriptors(), rss: mebibytes() }
  const { wrong, ...told } = yield* Effect.scoped(served)
  const after = { descriptors: descriptors(), rss: mebibytes() }
  if (after.descriptors.length !== before.descriptors.length)
    wrong.push(`descriptors: ${before.descriptors.join(" ")}, and then ${after.descriptors.join(" ")}`)
  if (after.rss > before.rss + 150) wrong.push(`memory grew by ${after.rss - before.rss} MiB`)
  if (restarts === 0) wrong.push("no isolate has died")
  return { seconds, ...told, restarts, rss: [before.rss, after.rss], wrong }
})

const report = await Effect.runPromise(Effect.provide(program, Logger.layer([counted])))
console.log(JSON.stringify(report, undefined, 2))
process.exitCode = report.wrong.length === 0 ? 0 : 1
