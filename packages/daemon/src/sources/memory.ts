/** `memory:`, a filesystem that is empty at each start. */
import * as Effect from "effect/Effect"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

export const memorySource: SourceKind = {
  kind: "memory",
  operand: undefined,
  help: "empty at each start",
  needs: "nothing after the colon",
  exclusive: false,
  covered: undefined,
  load,
  open: (_path, options) => Effect.map(Effect.promise(load), ({ memory }) => memory(options.memory))
}
