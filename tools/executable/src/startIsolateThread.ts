/** In the place of the module that starts isolates: nothing in the executable is shared, so that one thread serves. */
import type { Worker } from "node:worker_threads"

export const startIsolateThread = (): Worker => {
  throw new Error("the executable serves a mount by one thread")
}
