/** `bickford doctor`. */
import { commandError } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { examineAll, type Finding, here } from "./findings.ts"

const marks = { fine: "ok  ", note: "note", fault: "FAIL" } as const

const textOf = ({ found, kind, remedy, what }: Finding): string =>
  `${marks[kind]}  ${printable(what)}: ${printable(found)}${remedy === undefined ? "" : `\n      ${remedy}`}`

/** Says what would stop a mount on this machine; fails when something would. */
export const doctor = Effect.fnUntraced(function* (json: boolean) {
  const findings = yield* examineAll(here())
  yield* Console.log(json ? printableJson(findings, 2) : findings.map(textOf).join("\n"))
  const faults = findings.filter(({ kind }) => kind === "fault").length
  if (faults > 0)
    return yield* Effect.fail(
      commandError(faults === 1 ? "one thing stops mounts here" : `${faults} things stop mounts here`)
    )
})
