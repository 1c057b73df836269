/** `bickford diff`: what a branch has changed. */
import type { Change } from "@bickford/backends"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { asJson, branchName, directory, openNamed, shownName, storeDirectory } from "../branches.ts"

const letters = { added: "A", removed: "D", changed: "M", renamed: "R" } as const

/** `M path (content, times)`. */
export const changeLine = ({ from, kind, path, type, what }: Change): string => {
  const name = shownName(path) + (type === "directory" ? "/" : "")
  const moved = from === undefined ? name : `${shownName(from)} -> ${name}`
  return `${letters[kind]} ${moved}${what.length === 0 ? "" : ` (${what.join(", ")})`}`
}

/** A path as JSON has it: text, or the bytes of what is no UTF-8 in hexadecimal. */
const jsonName = (name: Change["path"]) =>
  typeof name === "string" ? name : { hex: Buffer.from(name).toString("hex") }

/** A change as one line of JSON. */
const changeJson = ({ from, path, ...change }: Change): string =>
  JSON.stringify({ ...change, path: jsonName(path), ...(from === undefined ? {} : { from: jsonName(from) }) })

export const diffCommand = Command.make(
  "diff",
  { directory, branch: branchName, store: storeDirectory, json: asJson },
  ({ branch, directory: given, json, store }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const opened = yield* openNamed(given, store, branch)
        for (const change of yield* opened.diff) yield* Console.log(json ? changeJson(change) : changeLine(change))
      })
    )
).pipe(Command.withDescription("Say what a branch of a directory has changed: added, removed, renamed, changed"))
