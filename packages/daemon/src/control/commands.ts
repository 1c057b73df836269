/** `bickford status`, `restart` and `unmount NAME`: asking the daemon that runs. */
import { printable, printableJson } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { commandError } from "../CommandError.ts"
import { ask, askStatus, follow } from "./client.ts"
import { socketIn } from "./runtimeDirectory.ts"
import type { MountStatus, StatusReport } from "./StatusReport.ts"

const duration = (milliseconds: number): string => {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`

const linesOf = (mount: MountStatus, now: number): ReadonlyArray<string> => [
  `  ${printable(mount.name)}  ${mount.state}  ${printable(mount.source)} at ${printable(mount.mountpoint)}`,
  ...(mount.pid === undefined
    ? []
    : [`    worker ${mount.pid}, for ${duration(now - mount.since)}; mounted for ${duration(now - mount.mountedAt)}`]),
  `    ${mount.requests} requests, ${mount.errors} errors, ${mount.inFlight} in flight; ${mebibytes(mount.bytesRead)} read, ${mebibytes(mount.bytesWritten)} written`,
  ...(mount.restarts === 0 && mount.lastCause === undefined
    ? []
    : [`    ${mount.restarts} restarts; the last cause: ${printable(mount.lastCause ?? "none")}`])
]

const textOf = (report: StatusReport): string => {
  const now = Date.now()
  const head = `bickford ${report.version}, process ${report.pid}, up for ${duration(now - report.startedAt)}, ${mebibytes(report.rss)} resident, ${report.mounts.length} mounts`
  return [head, ...report.mounts.flatMap((mount) => linesOf(mount, now))].join("\n")
}

/** Says how the daemon and its mounts are. */
export const status = Effect.fnUntraced(function* (runtimeDirectory: string, json: boolean) {
  const report = yield* askStatus(socketIn(runtimeDirectory))
  yield* Console.log(json ? printableJson(report, 2) : textOf(report))
})

const of = (name: string, action: string): string => `/mounts/${encodeURIComponent(name)}/${action}`

/** Replaces a mount's worker, from the code as it is now; its connection stays. */
export const restart = Effect.fnUntraced(function* (runtimeDirectory: string, name: string) {
  const began = Date.now()
  yield* ask(socketIn(runtimeDirectory), "POST", of(name, "restart"))
  yield* Console.log(`${printable(name)} is served by a new worker, after ${Date.now() - began} ms`)
})

/** Prints a mount's wire log, until it is interrupted or the daemon ends. */
export const log = (runtimeDirectory: string, name: string) =>
  follow(socketIn(runtimeDirectory), of(name, "log"), (text) => void process.stdout.write(text))

/** Unmounts what the daemon keeps: by the mount's name, or its mountpoint. */
export const unmountKept = Effect.fnUntraced(function* (runtimeDirectory: string, target: string, lazy: boolean) {
  const socket = socketIn(runtimeDirectory)
  const { mounts } = yield* askStatus(socket)
  const found = mounts.find(({ mountpoint, name }) => name === target || mountpoint === target)
  if (found === undefined) return yield* Effect.fail(commandError(`the daemon keeps no mount ${target}`))
  yield* ask(socket, "POST", `${of(found.name, "unmount")}${lazy ? "?lazy" : ""}`)
})

/** Whether a daemon that runs keeps a mount of this name, or at this mountpoint. */
export const isKept = (runtimeDirectory: string, target: string): Effect.Effect<boolean> =>
  askStatus(socketIn(runtimeDirectory)).pipe(
    Effect.map(({ mounts }) =>
      mounts.some(
        ({ mountpoint, name, state }) =>
          (name === target || mountpoint === target) && state !== "stopped" && state !== "failed"
      )
    ),
    Effect.catch(() => Effect.succeed(false))
  )
