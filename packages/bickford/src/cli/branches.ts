/** The branches of a directory, as commands name them. */
import { type CommandError, commandError } from "@bickford/daemon"
import { type Name, printable } from "@bickford/protocol"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { realpathSync } from "node:fs"
import { load } from "./arguments.ts"

export const directory = Argument.String("DIR").pipe(Argument.withDescription("The base directory of a workspace"))

export const branchName = Flag.String("branch").pipe(
  Flag.withAlias("b"),
  Flag.withDescription("The branch (default main)"),
  Flag.withDefault("main")
)

export const storeDirectory = Flag.String("store").pipe(
  Flag.withDescription("The directory that keeps the branches (default: one in the user's data directory)"),
  Flag.optional
)

export const asJson = Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))

/** A directory's path without links, and the directory that keeps its branches. */
export const placesOf = (given: string, store: Option.Option<string>) =>
  Effect.gen(function* () {
    const { workspaceHome } = yield* load(() => import("@bickford/backends"))
    const base = yield* Effect.try({
      try: () => realpathSync(given),
      catch: () => commandError(`${given}: is not a directory that can be reached`)
    })
    return { base, home: Option.getOrElse(store, () => workspaceHome(base)) }
  })

/** The base directory, and the file of a branch of it. */
const branchPlaces = Effect.fnUntraced(function* (given: string, store: Option.Option<string>, name: string) {
  const { branchFile, refusedBranchName } = yield* load(() => import("@bickford/backends"))
  const refused = refusedBranchName(name)
  if (refused !== undefined) return yield* Effect.fail(commandError(refused))
  const { base, home } = yield* placesOf(given, store)
  return { base, file: branchFile(home, name) }
})

/** Has a failure be one of the command. */
export const asCommandError = Effect.mapError(({ message }: { readonly message: string }): CommandError =>
  commandError(message)
)

/** Opens a branch that nobody serves; fails with a sentence. */
export const openNamed = Effect.fnUntraced(function* (given: string, store: Option.Option<string>, name: string) {
  const { openBranch } = yield* load(() => import("@bickford/backends"))
  const { base, file } = yield* branchPlaces(given, store, name)
  return yield* asCommandError(openBranch(base, file))
})

/** Opens a branch to look at it, also one that is mounted; fails with a sentence. */
export const openNamedToRead = Effect.fnUntraced(function* (given: string, store: Option.Option<string>, name: string) {
  const { openBranchToRead } = yield* load(() => import("@bickford/backends"))
  const { base, file } = yield* branchPlaces(given, store, name)
  return yield* asCommandError(openBranchToRead(base, file))
})

/** A path as it is printed. */
export const shownName = (name: Name): string =>
  printable(typeof name === "string" ? name : Buffer.from(name).toString())
