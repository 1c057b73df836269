/** `bickford diff`: what a branch has changed. */
import { commandError } from "@bickford/daemon"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { asCommandError, asJson, branchName, directory, openNamedToRead, storeDirectory } from "../branches.ts"
import { changeJson, changeLine, statLines } from "../changes.ts"

/** Writes all of it to stdout, however slowly that is read. */
const writeOut = (bytes: Uint8Array): Effect.Effect<void> =>
  Effect.callback((resume) => {
    process.stdout.write(bytes, () => resume(Effect.void))
  })

export const diffCommand = Command.make(
  "diff",
  {
    directory,
    branch: branchName,
    store: storeDirectory,
    json: asJson,
    patch: Flag.Boolean("patch").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("As a patch that git apply takes"),
      Flag.withDefault(false)
    ),
    stat: Flag.Boolean("stat").pipe(
      Flag.withDescription("How many lines of each file were changed"),
      Flag.withDefault(false)
    )
  },
  ({ branch, directory: given, json, patch, stat, store }) =>
    Effect.scoped(
      Effect.gen(function* () {
        if ([json, patch, stat].filter(Boolean).length > 1)
          return yield* Effect.fail(
            commandError("--json, --patch and --stat are three forms of one answer; choose one")
          )
        const opened = yield* openNamedToRead(given, store, branch)
        if (patch) return yield* writeOut(yield* asCommandError(opened.patch))
        if (stat) {
          for (const line of statLines(yield* asCommandError(opened.stat))) yield* Console.log(line)
          return undefined
        }
        for (const change of yield* asCommandError(opened.diff))
          yield* Console.log(json ? changeJson(change) : changeLine(change))
        return undefined
      })
    )
).pipe(Command.withDescription("Say what a branch of a directory has changed: added, removed, renamed, changed"))
