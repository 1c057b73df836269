/**
 * `npm run restart-read -- [--gib N]`: a sequential read of N GiB (10, sparse) of a store's mount, whose worker
 * is replaced every second. Ends with 1 when a read fails, is wrong, or takes a second.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { closeSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { commandsOn } from "../mount/inProcess.ts"
import { mountConfig, mountpoints, startDaemon, workFolder } from "./daemon.ts"

const { values } = parseArgs({ options: { gib: { type: "string", default: "10" }, read: { type: "string" } } })

/** Reads a file to its end: how much, and how long the slowest MiB took. */
const readAll = (file: string) => {
  const fd = openSync(file, "r")
  const buffer = Buffer.alloc(1024 * 1024)
  let bytes = 0
  let slowest = 0
  let sum = 0
  for (;;) {
    const began = performance.now()
    const count = readSync(fd, buffer)
    slowest = Math.max(slowest, performance.now() - began)
    if (count === 0) break
    bytes += count
    sum += buffer[0] ?? 0
  }
  closeSync(fd)
  return { bytes, slowest, sum }
}

const program = Effect.gen(function* () {
  const folder = yield* workFolder
  const [mountpoint = ""] = yield* mountpoints(1)
  const daemon = yield* startDaemon(folder, [
    mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint, { options: ["size=64g"] })
  ])
  yield* Effect.promise(() => daemon.reaches("data", "running"))
  const { run } = commandsOn(mountpoint)
  const file = join(mountpoint, "file")
  const size = Number(values.gib) * 1024 ** 3
  // Holes, and something to find at the end.
  yield* run("sh", [
    "-c",
    `truncate -s ${size} "$0" && printf x | dd of="$0" bs=1 seek=${size - 1024 * 1024} conv=notrunc status=none`,
    file
  ])
  const reader = yield* Effect.forkChild(
    run(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), "--read", file], {
      timeoutMilliseconds: 600_000
    }),
    { startImmediately: true }
  )
  let restarts = 0
  while (reader.pollUnsafe() === undefined) {
    yield* Effect.sleep(1000)
    yield* Effect.promise(() => daemon.post("/mounts/data/restart"))
    restarts++
  }
  const said: ReturnType<typeof readAll> = JSON.parse(yield* Fiber.join(reader))
  console.log(`${said.bytes} bytes, ${restarts} restarts; the slowest MiB took ${said.slowest.toFixed(0)} ms`)
  return said.bytes === size && said.sum === "x".charCodeAt(0) && said.slowest < 1000
})

if (values.read === undefined) process.exitCode = (await Effect.runPromise(Effect.scoped(program))) ? 0 : 1
else console.log(JSON.stringify(readAll(values.read)))
