/** A store served on a device that this process holds, by one server after the other. */
import * as Effect from "effect/Effect"
import { keep } from "../mount/keeper.ts"
import type { Victim } from "./victim.ts"

/** Mounts and serves `store`, for the life of the scope; `unmount` ends it before. */
export const keepStore = Effect.fnUntraced(function*(store: string) {
  const { kill, mountpoint, start, unmount } = yield* keep("resumable.ts", [store])
  yield* Effect.promise(start)
  const victim: Victim = {
    mountpoint,
    kill: async () => {
      await kill()
      await start()
    }
  }
  return { victim, unmount }
})
