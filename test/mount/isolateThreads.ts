/**
 * The threads of the isolates that serve mounts of this process, for tests that end them. In place of what starts the threads:
 * `vi.mock("../../packages/session/src/isolates/startIsolateThread.ts", () => import("./isolateThreads.ts"))`.
 */
import type { IsolateData, IsolateStart, ToIsolate } from "../../packages/session/src/isolates/messages.ts"
import { Worker } from "node:worker_threads"

const entry = new URL("../../packages/session/src/isolates/entry.ts", import.meta.url)

/** MiB of a thread's heap: little enough to be used up at once. */
const heap = 128

const threads = new Map<Worker, ReadonlyArray<number> | undefined>()
let change = (data: IsolateData): IsolateData => data

export const startIsolateThread = (start: IsolateStart): Worker => {
  const thread = new Worker(entry, { workerData: start, resourceLimits: { maxOldGenerationSizeMb: heap } })
  const post = thread.postMessage.bind(thread)
  thread.postMessage = (message: ToIsolate) => {
    if (message.type !== "serve") return post(message)
    threads.set(thread, message.data.cpus)
    post({ type: "serve", data: change(message.data) } satisfies ToIsolate)
  }
  threads.set(thread, undefined)
  thread.once("exit", () => threads.delete(thread))
  return thread
}

/** The threads that are alive, and the CPUs that each serves; none for a spare. */
export const isolateThreads: ReadonlyMap<Worker, ReadonlyArray<number> | undefined> = threads

/** Ends the thread that serves a CPU, between any two of its instructions. */
export const terminateIsolateOf = async (cpu: number): Promise<void> => {
  for (const [thread, cpus] of threads) if (cpus?.includes(cpu) === true) await thread.terminate()
}

/** Has each isolate begin with what `changed` makes of its data, from the next one on. */
export const changeIsolateData = (changed: (data: IsolateData) => IsolateData): void => {
  change = changed
}
