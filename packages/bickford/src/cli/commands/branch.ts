/** `bickford branch`: which branches a directory has; removes one; says what became of one. */
import { commandError } from "@bickford/daemon"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { asJson, directory, openNamed, placesOf, shownName, storeDirectory } from "../branches.ts"
import { load } from "../arguments.ts"

const name = Argument.String("NAME").pipe(Argument.withDescription("A branch"))

const listCommand = Command.make("list", { directory, store: storeDirectory, json: asJson }, (input) =>
  Effect.gen(function* () {
    const { listBranches } = yield* load(() => import("@bickford/backends"))
    const { home } = yield* placesOf(input.directory, input.store)
    for (const branch of listBranches(home))
      yield* Console.log(input.json ? JSON.stringify(branch) : `${branch.name}\t${branch.bytes} bytes`)
  })
).pipe(Command.withDescription("List the branches of a directory"))

const deleteCommand = Command.make("delete", { directory, name, store: storeDirectory }, (input) =>
  Effect.gen(function* () {
    const { branchFile, deleteBranch } = yield* load(() => import("@bickford/backends"))
    const { home } = yield* placesOf(input.directory, input.store)
    // Whoever serves it has its lock.
    yield* Effect.scoped(openNamed(input.directory, input.store, input.name))
    yield* Effect.try({
      try: () => deleteBranch(branchFile(home, input.name)),
      catch: (error) => commandError(error instanceof Error ? error.message : String(error))
    })
  })
).pipe(Command.withDescription("Throw a branch away, and all that was changed on it"))

const logCommand = Command.make("log", { directory, name, store: storeDirectory }, (input) =>
  Effect.scoped(
    Effect.gen(function* () {
      const branch = yield* openNamed(input.directory, input.store, input.name)
      for (const event of yield* branch.log)
        yield* Console.log(
          `${new Date(event.time).toISOString()} ${event.kind} ${shownName(event.name)} ${event.detail}`
        )
    })
  )
).pipe(Command.withDescription("Say what became of a branch, the latest first"))

export const branchCommand = Command.make("branch").pipe(
  Command.withDescription("The branches of a directory"),
  Command.withSubcommands([listCommand, deleteCommand, logCommand])
)
