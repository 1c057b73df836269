/** `bickford shell`: a shell that sees a directory as it is, and whose changes go to a branch. */
import * as Command from "effect/cli/Command"
import { runFlags, runOnBranch } from "../running/runOnBranch.ts"

export const shellCommand = Command.make("shell", runFlags, (input) =>
  runOnBranch({ ...input, command: [process.env["SHELL"] ?? "/bin/sh"] })
).pipe(Command.withDescription("Start $SHELL on a branch of a directory: as run, until the shell ends"))
