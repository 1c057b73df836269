/** Mounts that are served over io_uring. */
import type { BackendSource, MountOptions } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type Served, start } from "./bickford.ts"
import { mountOnRings, offeringRings } from "./enableUring.ts"
import { serve } from "./inProcess.ts"

/** As `serve`, over io_uring. */
export const serveOnRings = (backend: BackendSource, options?: Omit<MountOptions, "mountpoint" | "backend">) =>
  mountOnRings(serve(backend, { threads: 1, ...options }))

/** As `start`, over io_uring; fails where the kernel has not agreed to it. */
export const startOnRings = async (
  mountpoint: string,
  args: ReadonlyArray<string>,
  source: string
): Promise<Served> => {
  const options = ["-o", "max_threads=1", ...args]
  const served = await Effect.runPromise(offeringRings(Effect.promise(() => start(mountpoint, options, source))))
  if (!served.log().includes("io_uring: the kernel delivers requests by its queues"))
    throw new Error(`the mount is not served over io_uring: ${served.log()}`)
  return served
}
