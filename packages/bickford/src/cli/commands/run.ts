/** `bickford run`: runs a command that sees a directory as it is, and whose changes go to a branch. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { runFlags, runOnBranch } from "../running/runOnBranch.ts"

export const runCommand = Command.make(
  "run",
  {
    ...runFlags,
    command: Argument.String("COMMAND").pipe(
      Argument.withDescription("The command and its arguments, after --"),
      Argument.atLeast(1)
    )
  },
  runOnBranch
).pipe(Command.withDescription("Run a command whose changes of a directory go to a branch"))
