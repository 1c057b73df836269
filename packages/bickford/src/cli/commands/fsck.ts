/** `bickford fsck`: says what is wrong with a store, and with `--repair` puts it right. */
import type { SqliteStoreError, StoreReport } from "@bickford/backends"
import { commandError, isParsed, parseSource, shownSource } from "@bickford/daemon"
import { printable, printableLogLine } from "@bickford/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { load } from "../arguments.ts"

const say = (line: string) => Console.log(printable(line))

const asCommandError = <A>(effect: Effect.Effect<A, SqliteStoreError>) =>
  Effect.mapError(effect, ({ message }) => commandError(message))

const tellProblems = Effect.fnUntraced(function* ({ orphans, problems }: StoreReport) {
  for (const { repair, what } of problems) yield* Console.log(printableLogLine(`${what}: ${repair}`))
  if (orphans > 0) yield* say(`${orphans} files without a name, which the next mount removes`)
})

const tellClean = (path: string, { bytes, inodes }: StoreReport) =>
  say(`${path}: clean, ${inodes} inodes, ${bytes} bytes`)

/** Checks a store in a database. There is nothing to repair it with. */
const fsckPostgres = Effect.fnUntraced(function* (url: string, repair: boolean) {
  const { checkPostgres } = yield* load(() => import("@bickford/backends"))
  const shown = shownSource(url)
  if (repair)
    return yield* Effect.fail(
      commandError(`${shown}: a store in a database is checked only; restore a backup of the database`)
    )
  const { bytes, inodes, orphans, problems } = yield* Effect.mapError(checkPostgres(url), ({ message }) =>
    commandError(message)
  )
  for (const problem of problems) yield* Console.log(printableLogLine(problem))
  if (orphans > 0) yield* say(`${orphans} files without a name, which are open, or which the next mount removes`)
  if (problems.length === 0) return yield* say(`${shown}: clean, ${inodes} inodes, ${bytes} bytes`)
  return yield* Effect.fail(commandError(`${shown}: ${problems.length} problems`))
})

/** Fails when something is wrong that was not put right. `store` is a path, or a source. */
const fsck = Effect.fnUntraced(function* (store: string, repair: boolean) {
  const { checkStore, repairStore } = yield* load(() => import("@bickford/backends"))
  const parsed = parseSource(store)
  if (isParsed(parsed) && parsed.kind.kind === "postgres") return yield* fsckPostgres(parsed.path, repair)
  const path = isParsed(parsed) && parsed.kind.kind === "sqlite" ? parsed.path : store
  if (!repair) {
    const report = yield* asCommandError(checkStore(path))
    yield* tellProblems(report)
    if (report.problems.length === 0) return yield* tellClean(path, report)
    const next = report.damaged
      ? "keep a copy before anything else"
      : `keep a copy, then "bickford fsck --repair ${path}" puts them right`
    return yield* Effect.fail(commandError(`${path}: ${report.problems.length} problems; ${next}`))
  }
  const { found, left } = yield* asCommandError(repairStore(path))
  yield* tellProblems(found)
  if (found.damaged)
    return yield* Effect.fail(
      commandError(`${path}: its pages are damaged, which cannot be repaired in place; nothing was changed`)
    )
  if (left.problems.length === 0) {
    if (found.problems.length > 0) yield* say(`${path}: ${found.problems.length} problems, all repaired`)
    return yield* tellClean(path, left)
  }
  yield* tellProblems(left)
  return yield* Effect.fail(commandError(`${path}: ${left.problems.length} problems are left`))
})

export const fsckCommand = Command.make(
  "fsck",
  {
    store: Argument.String("STORE").pipe(
      Argument.withDescription("A store that is not mounted: its path, or sqlite:PATH; or postgres:URL, mounted or not")
    ),
    repair: Flag.Boolean("repair").pipe(
      Flag.withDescription("Put right what is found; keep a copy of the store first"),
      Flag.withDefault(false)
    )
  },
  ({ repair, store }) => fsck(store, repair)
).pipe(Command.withDescription("Check a store without changing anything, and say what would be repaired"))
