/** `bickford stats`: a mount's numbers, once. */
import { type MountStatus, socketIn } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { aligned } from "../columns.ts"
import { findDaemonMount } from "../daemonMount.ts"
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

const textOf = (mount: MountStatus): string => {
  const { bytesRead, bytesWritten, errors, inFlight, mountpoint, name, requests, restarts, source, state } = mount
  const [head = "", ...rows] = aligned([columns, ...operationRows(mount)], (column) => column > 0)
  return [
    `${printable(name)}: ${state}, ${printable(source)} at ${printable(mountpoint)}`,
    `${requests} calls, ${errors} errors, ${inFlight} in flight, ${restarts} restarts`,
    `${mebibytes(bytesRead)} MiB read, ${mebibytes(bytesWritten)} MiB written`,
    "",
    styled("bold", head),
    ...rows
  ].join("\n")
}

/** Prints what all workers of a mount have counted. */
export const stats = Effect.fnUntraced(function* (runtimeDirectory: string, given: string, json: boolean) {
  const mount = yield* findDaemonMount(socketIn(runtimeDirectory), given)
  yield* Console.log(json ? printableJson(mount, 2) : textOf(mount))
})
