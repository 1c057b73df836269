/** `bickford branch`: which branches a directory has; makes one of another; removes one; says what became of one. */
import { commandError } from "@bickford/daemon"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  asCommandError,
  asJson,
  directory,
  openNamed,
  openNamedToRead,
  placesOf,
  shownName,
  storeDirectory
} from "../branches.ts"
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
      const branch = yield* openNamedToRead(input.directory, input.store, input.name)
      for (const event of yield* asCommandError(branch.log))
        yield* Console.log(
          `${new Date(event.time).toISOString()} ${event.kind} ${shownName(event.name)} ${event.detail}`
        )
    })
  )
).pipe(Command.withDescription("Say what became of a branch, the latest first"))

const forkCommand = Command.make(
  "fork",
  {
    directory,
    name: Argument.String("NAME").pipe(Argument.withDescription("The new branch")),
    from: Flag.String("from").pipe(
      Flag.withDescription("The branch whose changes it begins with (default main)"),
      Flag.withDefault("main")
    ),
    checkpoint: Flag.String("checkpoint").pipe(
      Flag.withDescription("Begin with what that branch held at this checkpoint"),
      Flag.optional
    ),
    store: storeDirectory
  },
  (input) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { branchFile, refusedBranchName } = yield* load(() => import("@bickford/backends"))
        const refused = refusedBranchName(input.name)
        if (refused !== undefined) return yield* Effect.fail(commandError(refused))
        const { home } = yield* placesOf(input.directory, input.store)
        const branch = yield* openNamedToRead(input.directory, input.store, input.from)
        return yield* asCommandError(branch.fork(branchFile(home, input.name), Option.getOrUndefined(input.checkpoint)))
      })
    )
).pipe(Command.withDescription("Make a branch that begins with what another one holds"))

/** A branch that was made by `run`, and holds nothing, since `run` was killed. */
const isForgotten = (name: string, changes: number): boolean => name.startsWith("run-") && changes === 0

const gcCommand = Command.make("gc", { directory, store: storeDirectory }, (input) =>
  Effect.gen(function* () {
    const { branchFile, deleteBranch, listBranches, removeLeftOvers } = yield* load(() => import("@bickford/backends"))
    const { home } = yield* placesOf(input.directory, input.store)
    for (const file of removeLeftOvers(home)) yield* Console.log(`removed ${shownName(file)}`)
    for (const { name: branch } of listBranches(home)) {
      const changes = yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* openNamed(input.directory, input.store, branch)
          yield* opened.compact
          return (yield* opened.diff).length
        })
      ).pipe(
        // One that is mounted is left alone.
        Effect.catch(({ message }) => Effect.as(Console.error(`bickford: left as it is: ${message}`), undefined))
      )
      if (changes === undefined || !isForgotten(branch, changes)) continue
      deleteBranch(branchFile(home, branch))
      yield* Console.log(`removed ${branch}, which held nothing`)
    }
  })
).pipe(
  Command.withDescription("Remove what killed commands have left, and give back the room that branches do not need")
)

export const branchCommand = Command.make("branch").pipe(
  Command.withDescription("The branches of a directory"),
  Command.withSubcommands([listCommand, forkCommand, deleteCommand, logCommand, gcCommand])
)
