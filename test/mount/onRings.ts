/** Mounts that are served over io_uring. */
import type { BackendSource, MountOptions } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type Served, start } from "./bickford.ts"
import { mountOnRings, offeringRings } from "./enableUring.ts"
import { serve } from "./inProcess.ts"

/** As `serve`, over io_uring. */
export const serveOnRings = (backend: BackendSource, options?: Omit<MountOptions, "mountpoint" | "backend">) =>
  mountOnRings(serve(backend, { threads: 1, ...options }))

/** `start` with options, over io_uring; fails where the kernel has not agreed to it, or other threads serve than `log` says. */
const startWith =
  (options: string, log: string) =>
  async (mountpoint: string, args: ReadonlyArray<string>, source: string): Promise<Served> => {
    const all = ["-o", options, ...args]
    const served = await Effect.runPromise(offeringRings(Effect.promise(() => start(mountpoint, all, source))))
    if (!served.log().includes(log)) throw new Error(`the log has no "${log}": ${served.log()}`)
    return served
  }

const delivers = "io_uring: the kernel delivers requests by its queues"

/** As `start`, over io_uring, by one thread. */
export const startOnRings = startWith("max_threads=1", delivers)

/** As `start`, over io_uring, by two isolates, for a source that is shared. */
export const startByIsolates = startWith("max_threads=2", `${delivers}, to 2 threads`)
