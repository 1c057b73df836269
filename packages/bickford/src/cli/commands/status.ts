/** `bickford status`. */
import { askStatus, type MountStatus, socketIn, type StatusReport } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { runtimeDirectory } from "../arguments.ts"

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
const status = Effect.fnUntraced(function* (runtimeDirectory: string, json: boolean) {
  const report = yield* askStatus(socketIn(runtimeDirectory))
  yield* Console.log(json ? printableJson(report, 2) : textOf(report))
})

export const statusCommand = Command.make(
  "status",
  { runtimeDirectory, json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false)) },
  (input) => status(input.runtimeDirectory, input.json)
).pipe(Command.withDescription("Say how the daemon and its mounts are"))
