/** Mounts that are served over io_uring, which root turns on for a moment: the kernel looks at it when it sends INIT. */
import type { BackendSource, MountOptions } from "@bickford/session"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { serve } from "./inProcess.ts"

const parameter = "/sys/module/fuse/parameters/enable_uring"

const turn = (on: boolean): void => {
  try {
    writeFileSync(parameter, on ? "Y" : "N")
  } catch (error) {
    throw new Error(`this test needs Linux 6.14, root and ${parameter}: ${String(error)}`, { cause: error })
  }
}

/** Runs `body` while the kernel offers io_uring to new connections; then as it was before. */
export const offeringRings = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = readFileSync(parameter, "latin1").trim() === "Y"
      turn(true)
      return before
    }),
    () => body,
    (before) => Effect.sync(() => turn(before))
  )

/** As `serve`, over io_uring; fails where the kernel has not agreed to it. */
export const serveOnRings = (backend: BackendSource, options?: Omit<MountOptions, "mountpoint" | "backend">) =>
  Effect.tap(offeringRings(serve(backend, { threads: 1, ...options })), ({ mounted }) =>
    mounted.session.connection.negotiated?.overIoUring === true
      ? Effect.void
      : Effect.die(new Error("the kernel has not agreed to io_uring, though enable_uring is set"))
  )
