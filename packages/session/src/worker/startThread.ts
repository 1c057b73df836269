/** Starts the worker thread of `Mount.worker`. The single executable has a module of its own in this one's place. */
import { Worker } from "node:worker_threads"
import type { WorkerData } from "./messages.ts"

// The built file has the same name but for its ending.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url)

/** A thread that runs `entry.ts` with this data. */
export const startThread = (data: WorkerData): Worker => new Worker(entry, { workerData: data })
