/** Starts the thread of one of several isolates. The single executable has a module of its own in this one's place. */
import { isolateThreadName } from "@bickford/transport"
import { Worker } from "node:worker_threads"
import type { IsolateData } from "./messages.ts"

// The built file has the same name but for its ending.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url)

/** By it the thread is known in a debugger, and where the kernel lists threads. */
const threadName = ({ cpus, mounted = "" }: IsolateData): string => isolateThreadName(mounted, cpus[0] ?? 0)

/** A thread that runs `entry.ts` with this data. */
export const startIsolateThread = (data: IsolateData): Worker =>
  new Worker(entry, { workerData: data, name: threadName(data) })
