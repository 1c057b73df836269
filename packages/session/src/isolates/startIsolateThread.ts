/** Starts the thread of one of several isolates. The single executable has a module of its own in this one's place. */
import { Worker } from "node:worker_threads"
import type { IsolateStart } from "./messages.ts"

// The built file has the same name but for its ending.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url)

/** A thread that runs `entry.ts`, which waits until it is told to serve. */
export const startIsolateThread = (start: IsolateStart): Worker =>
  new Worker(entry, { workerData: start, name: "bickford-spare" })
