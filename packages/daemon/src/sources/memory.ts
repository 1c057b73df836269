/** `memory:`, a filesystem that is empty at each start. */
import * as Effect from "effect/Effect"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

export const memorySource: SourceKind = {
  kind: "memory",
  operand: undefined,
  help: "empty at each start",
  needs: "nothing after the colon",
  exclusive: false,
  covered: undefined,
  options: ["entry_timeout", "attr_timeout", "negative_timeout", "mode", "size", "nr_inodes", "no_xattr"],
  refuses: locksOfTheKernel,
  load,
  open: (_path, options) => Effect.map(Effect.promise(load), ({ memory }) => memory(options.memory))
}
