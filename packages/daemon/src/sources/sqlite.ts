/** `sqlite:PATH`, a store that lasts. */
import * as Effect from "effect/Effect"
import { commandError } from "../CommandError.ts"
import { locksOfTheKernel } from "./locks.ts"
import { checkReachable } from "./reachable.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

export const sqliteSource: SourceKind = {
  kind: "sqlite",
  operand: "PATH",
  help: "a store in one file",
  needs: "the path of a store",
  exclusive: true,
  tryLocked: checkReachable,
  covered: "refused",
  options: ["entry_timeout", "attr_timeout", "negative_timeout", "mode", "size", "nr_inodes", "no_xattr"],
  refuses: locksOfTheKernel,
  load,
  open: (path, options) =>
    Effect.flatMap(Effect.promise(load), ({ sqlite }) => {
      const store = sqlite(path, options.memory)
      // Opened once before the mount: what is wrong with it is said then.
      return Effect.scoped(store).pipe(
        Effect.mapError(({ message }) => commandError(message)),
        Effect.as(store)
      )
    })
}
