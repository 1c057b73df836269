/** `bickford stats`: a mount's numbers, once. */
import { ask, type MountStatus } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { aligned } from "../columns.ts"
import { findAskedMount } from "../daemonMount.ts"
import { styled } from "../styled.ts"

const columns = ["OPERATION", "CALLS", "ERRORS", "P50 us", "P99 us", "TOTAL ms"]

const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1)

const operationRows = ({ operations }: MountStatus): ReadonlyArray<ReadonlyArray<string>> =>
  Object.entries(operations)
    .sort(([, a], [, b]) => b.microseconds - a.microseconds)
    .map(([opcode, { count, errors, microseconds, p50, p99 }]) => [
      printable(opcode),
      String(count),
      String(errors),
      p50.toFixed(0),
      p99.toFixed(0),
      (microseconds / 1000).toFixed(1)
    ])

/** Of a mount of the daemon all there was; of others what was counted for so many seconds. */
const textOf = (mount: MountStatus, seconds: number | undefined): string => {
  const { bytesRead, bytesWritten, errors, inFlight, mountpoint, name, requests, restarts, source, state } = mount
  const [head = "", ...rows] = aligned([columns, ...operationRows(mount)], (column) => column > 0)
  return [
    `${printable(name)}: ${state}, ${printable(source)} at ${printable(mountpoint)}`,
    ...(seconds === undefined
      ? [`${requests} calls, ${errors} errors, ${inFlight} in flight, ${restarts} restarts`]
      : [`counted for ${seconds} s: ${requests} calls, ${errors} errors, ${inFlight} in flight`]),
    `${mebibytes(bytesRead)} MiB read, ${mebibytes(bytesWritten)} MiB written`,
    "",
    styled("bold", head),
    ...rows
  ].join("\n")
}

export interface StatsRequest {
  readonly mount: string
  /** How long a mount without a daemon is counted. */
  readonly seconds: number
  readonly json: boolean
}

/** Prints what all workers of a mount have counted; what the process of another mount counts from now on. */
export const stats = Effect.fnUntraced(function* (runtimeDirectory: string, { json, mount, seconds }: StatsRequest) {
  const found = yield* findAskedMount(runtimeDirectory, mount)
  if (found.servedBy === "daemon")
    return yield* Console.log(json ? printableJson(found.mount, 2) : textOf(found.mount, undefined))
  const counted: MountStatus = JSON.parse(yield* ask(found.socket, "GET", `/status?seconds=${seconds}`))
  yield* Console.log(json ? printableJson({ ...counted, seconds }, 2) : textOf(counted, seconds))
})
