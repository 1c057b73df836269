/** `bickford ls`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load, runtimeDirectory } from "../arguments.ts"

const every = Flag.Boolean("all").pipe(
  Flag.withDescription("Also the mounts of other FUSE filesystems"),
  Flag.withDefault(false)
)

export const lsCommand = Command.make(
  "ls",
  {
    runtimeDirectory,
    every,
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false))
  },
  (input) =>
    Effect.flatMap(
      load(() => import("../ls/ls.ts")),
      ({ ls }) => ls(input.runtimeDirectory, input.every, input.json)
    )
).pipe(Command.withDescription("List this user's mounts (root: everybody's), and who serves them"))
