/** `bickford bench`: how fast a mount is on this machine, beside another directory. */
import { commandError, isParsed, parseSource } from "@bickford/daemon"
import { printable, printableJson } from "@bickford/protocol"
import { findMount } from "@bickford/transport"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { aligned } from "../columns.ts"
import { stopSignal } from "../stopSignal.ts"
import { styled } from "../styled.ts"
import { type Operation, operations } from "./operations.ts"

export interface BenchRequest {
  readonly mountpoint: string
  /** The other directory, where one is named. */
  readonly beside: string | undefined
  /** How long each operation is done in each of both. */
  readonly seconds: number
  readonly json: boolean
}

/** Of one operation: how often in a second, or how many bytes. */
interface Figure {
  readonly operation: string
  readonly unit: "per second" | "bytes per second"
  readonly here: number
  readonly beside: number
}

/** Times that both are measured, in turns: the machine is not the same all the time. */
const turns = 5

/** Of both orders, so that neither always comes first. */
const orderOf = (turn: number): ReadonlyArray<"here" | "beside"> =>
  turn % 2 === 0 ? ["here", "beside"] : ["beside", "here"]

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Does it for so many milliseconds, and returns how often in a second. */
const rateOf = (once: () => void, milliseconds: number): number => {
  const start = performance.now()
  let done = 0
  let now = start
  while (now - start < milliseconds) {
    once()
    done++
    now = performance.now()
  }
  return (done * 1000) / (now - start)
}

/** Runs what uses a directory; what it throws is what the command says. */
const attempt = <A>(body: () => A) =>
  Effect.try({ try: body, catch: (error) => commandError(error instanceof Error ? error.message : String(error)) })

/** An operation that is ready in a fresh directory below `place`, until the scope closes. */
const ready = ({ prepare }: Operation, place: string) =>
  Effect.acquireRelease(
    attempt(() => mkdtempSync(join(place, ".bickford-bench-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  ).pipe(
    Effect.flatMap((directory) =>
      Effect.acquireRelease(
        attempt(() => prepare(directory)),
        ({ end }) => Effect.sync(end)
      )
    )
  )

const measure = (operation: Operation, places: { readonly here: string; readonly beside: string }, seconds: number) =>
  Effect.gen(function* () {
    const both = { here: yield* ready(operation, places.here), beside: yield* ready(operation, places.beside) }
    const rates: { readonly here: Array<number>; readonly beside: Array<number> } = { here: [], beside: [] }
    for (let turn = 0; turn < turns; turn++) {
      for (const where of orderOf(turn)) {
        // Ctrl-C is heard between two of them.
        yield* Effect.sleep(0)
        rates[where].push(yield* attempt(() => rateOf(both[where].once, (1000 * seconds) / turns)))
      }
    }
    const { bytes, name } = operation
    const figure: Figure = {
      operation: name,
      unit: bytes === undefined ? "per second" : "bytes per second",
      here: median(rates.here) * (bytes ?? 1),
      beside: median(rates.beside) * (bytes ?? 1)
    }
    return figure
  }).pipe(Effect.scoped)

const shown = (value: number, unit: Figure["unit"]): string =>
  unit === "per second" ? `${value.toFixed(0)}/s` : `${(value / 1024 ** 2).toFixed(0)} MiB/s`

const rowOf = ({ beside, here, operation, unit }: Figure): ReadonlyArray<string> => [
  operation,
  shown(here, unit),
  shown(beside, unit),
  (here / beside).toFixed(2)
]

/** What a mount of `passthrough:` shows; else where temporary files go. */
const underneath = (source: string): string => {
  const parsed = parseSource(source)
  return isParsed(parsed) && parsed.kind.kind === "passthrough" ? parsed.path : tmpdir()
}

/** Prints how a mount does beside the directory underneath, or another one. What it makes there it removes again. */
export const bench = Effect.fnUntraced(function* ({ beside, json, mountpoint, seconds }: BenchRequest) {
  const here = yield* attempt(() => realpathSync(mountpoint))
  const places = { here, beside: beside ?? underneath(findMount(here)?.source ?? "") }
  const all = Effect.forEach(operations, (operation) => measure(operation, places, seconds))
  // Signals are listened to before anything is made: until then Ctrl-C ends the process, and would leave it there.
  const figures = yield* Effect.raceFirst(
    Effect.as(stopSignal, undefined),
    Effect.map(all, (found): ReadonlyArray<Figure> | undefined => found)
  )
  if (figures === undefined) return yield* Effect.fail(commandError("stopped; nothing is left in the directories"))
  if (json) return yield* Console.log(printableJson({ ...places, figures }, 2))
  const head = ["OPERATION", "HERE", "BESIDE", "RATIO"]
  const [title = "", ...rows] = aligned([head, ...figures.map(rowOf)], (column) => column > 0)
  yield* Console.log(
    [
      `here: ${printable(places.here)}; beside: ${printable(places.beside)}`,
      "by one process, with the kernel's caches, medians of five turns",
      "",
      styled("bold", title),
      ...rows
    ].join("\n")
  )
})
