/** `bickford checkpoint` and `bickford reset`: keeps what a branch holds under a name, and goes back to it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { asCommandError, branchName, directory, openNamed, openNamedToRead, storeDirectory } from "../branches.ts"

const checkpoint = Argument.String("CHECKPOINT").pipe(Argument.withDescription("A checkpoint of the branch"))
const place = { directory, branch: branchName, store: storeDirectory }

export const checkpointCommand = Command.make(
  "checkpoint",
  { ...place, checkpoint: checkpoint.pipe(Argument.optional) },
  (input) =>
    Effect.scoped(
      Effect.gen(function* () {
        const branch = yield* openNamedToRead(input.directory, input.store, input.branch)
        if (Option.isSome(input.checkpoint)) return yield* asCommandError(branch.checkpoint(input.checkpoint.value))
        for (const name of yield* branch.checkpoints) yield* Console.log(name)
        return undefined
      })
    )
).pipe(Command.withDescription("Keep what a branch holds now under a name; without one, list the names"))

export const resetCommand = Command.make(
  "reset",
  { ...place, checkpoint: checkpoint.pipe(Argument.optional) },
  (input) =>
    Effect.scoped(
      Effect.gen(function* () {
        const branch = yield* openNamed(input.directory, input.store, input.branch)
        yield* asCommandError(branch.reset(Option.getOrUndefined(input.checkpoint)))
      })
    )
).pipe(Command.withDescription("Set a branch back to a checkpoint; without one, to its directory"))
