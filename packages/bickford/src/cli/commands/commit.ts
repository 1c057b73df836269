/** `bickford commit`: brings what a branch has changed into its base directory. */
import { commandError } from "@bickford/daemon"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { branchName, directory, openNamed, shownName, storeDirectory } from "../branches.ts"

export const commitCommand = Command.make(
  "commit",
  {
    directory,
    branch: branchName,
    store: storeDirectory,
    onConflict: Flag.Literals("on-conflict", ["fail", "ours", "theirs"]).pipe(
      Flag.withDescription("Where the base has changed too: do nothing, take the branch's, or leave the base's"),
      Flag.withDefault("fail" as const)
    )
  },
  ({ branch, directory: given, onConflict, store }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const opened = yield* openNamed(given, store, branch)
        const { applied, conflicts } = yield* opened.commit({ onConflict }).pipe(
          Effect.catchTag("WorkspaceConflictError", (error) =>
            Effect.gen(function* () {
              for (const { path, reason } of error.conflicts)
                yield* Console.error(`C ${shownName(path)} (${reason} in the base)`)
              return yield* Effect.fail(
                commandError(
                  `${error.conflicts.length} conflicts, nothing was done; --on-conflict ours takes the branch's files, theirs leaves the base's`
                )
              )
            })
          ),
          Effect.catchTag("WorkspaceCommitError", ({ message }) => Effect.fail(commandError(message)))
        )
        yield* Console.log(
          `${applied.length} changes are in ${opened.base} now${conflicts.length === 0 ? "" : `; ${conflicts.length} conflicts: ${onConflict}`}`
        )
      })
    )
).pipe(Command.withDescription("Bring what a branch has changed into its directory, all of it or nothing"))
