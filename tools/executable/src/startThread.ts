/** In place of the session's: a thread begins as the executable does. */
import { getAsset } from "node:sea"
import { Worker } from "node:worker_threads"
import type { WorkerData } from "../../../packages/session/src/worker/messages.ts"

/** A thread that serves a mount with this data. */
export const startThread = (data: WorkerData): Worker =>
  new Worker(getAsset("boot.cjs", "utf8"), { eval: true, workerData: data })
