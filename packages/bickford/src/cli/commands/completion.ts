/** `bickford completion`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { load } from "../arguments.ts"

const shell = Argument.Literals("SHELL", ["bash", "zsh", "fish"]).pipe(
  Argument.withDescription("The shell that is to complete")
)

export const completionCommand = Command.make("completion", { shell }, (input) =>
  Effect.flatMap(
    // Later: the command's table has this command, too.
    load((): Promise<{ readonly bickford: Command.Command.Any }> => import("../bickford.ts")),
    ({ bickford }) => Console.log(Completions.generate("bickford", input.shell, Completions.fromCommand(bickford)))
  )
).pipe(Command.withDescription("Print what completes commands and options: source <(bickford completion bash)"))
