/** `bickford ls`. */
import { printable, printableJson } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { aligned } from "../columns.ts"
import { type ListedMount, listMounts } from "./listedMounts.ts"

const head = ["MOUNTPOINT", "SOURCE", "STATE", "SERVED BY"]

const servedBy = ({ name, pid, program, state, threads }: ListedMount): string => {
  if (state === "dead") return "nobody: bickford unmount, or mounting there again, takes it away"
  const byThreads = threads === undefined ? "" : `, ${threads} threads over io_uring`
  const process = pid === undefined ? "" : `${printable(program ?? "")} (process ${pid}${byThreads})`
  return name === undefined ? process : `the daemon, as ${printable(name)}${process === "" ? "" : `: ${process}`}`
}

const rowOf = (mount: ListedMount): ReadonlyArray<string> => [
  printable(mount.mountpoint),
  printable(mount.source),
  mount.state,
  servedBy(mount)
]

/** Lists the mounts of this user, whoever serves them. */
export const ls = Effect.fnUntraced(function* (runtimeDirectory: string, every: boolean, json: boolean) {
  const mounts = yield* listMounts(runtimeDirectory, process.geteuid?.() ?? 0, every)
  if (json) return yield* Console.log(printableJson(mounts, 2))
  if (mounts.length === 0) return yield* Console.log(every ? "No FUSE mounts." : "No mounts.")
  yield* Console.log(aligned([head, ...mounts.map(rowOf)]).join("\n"))
})
