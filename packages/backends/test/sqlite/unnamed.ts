/** Files that have lost their names, for the tests of every store. */
import type { U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { Server } from "./server.ts"

/** Makes files of 9000 bytes, tells the kernel of each, and removes their names; their nodes. */
export const makeUnnamed = (
  server: Pick<Server, "call"> & { readonly backend: Pick<Server["backend"], "delivered"> }
) =>
  Effect.forEach(["held", "lost"], (name, at) =>
    Effect.gen(function* () {
      const { entry } = yield* server.call("create", { name }, { unique: 2 + 10 * at })
      yield* server.call("write", { nodeid: entry.nodeid, data: new Uint8Array(9000) }, { unique: 4 + 10 * at })
      yield* server.call("unlink", { name }, { unique: 6 + 10 * at })
      server.backend.delivered?.([2 + 10 * at])
      return entry.nodeid
    })
  ).pipe(Effect.map(([held = 0, lost = 0]): { readonly held: U64; readonly lost: U64 } => ({ held, lost })))
