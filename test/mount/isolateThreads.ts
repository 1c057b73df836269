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
/** What a thread starts with, and is told to serve, before a test changes it. */
interface Given {
  readonly start: IsolateStart
  readonly serve: (data: IsolateData) => IsolateData
}

let change = (given: Given, _others: number): Given => given

export const startIsolateThread = (start: IsolateStart): Worker => {
  const given = change({ start, serve: (data) => data }, threads.size)
  const thread = new Worker(entry, { workerData: given.start, resourceLimits: { maxOldGenerationSizeMb: heap } })
  const post = thread.postMessage.bind(thread)
  thread.postMessage = (message: ToIsolate) => {
    if (message.type !== "serve") return post(message)
    threads.set(thread, message.data.cpus)
    post({ type: "serve", data: given.serve(message.data) } satisfies ToIsolate)
  }
  threads.set(thread, undefined)
  thread.once("exit", () => threads.delete(thread))
  return thread
}

/** The threads that are alive, and the CPUs that each serves; none for a spare. */
export const isolateThreads: ReadonlyMap<Worker, ReadonlyArray<number> | undefined> = threads

/** The threads that serve a CPU, one for each mount. */
export const isolatesOf = (cpu: number): ReadonlyArray<Worker> =>
  [...threads].flatMap(([thread, cpus]) => (cpus?.includes(cpu) === true ? [thread] : []))

/** Ends the threads that serve a CPU, between any two of their instructions. */
export const terminateIsolateOf = async (cpu: number): Promise<void> => {
  for (const thread of isolatesOf(cpu)) await thread.terminate()
}

/** Has each isolate, from the next one on, begin with what `changed` makes of what it is given, and of the number of those that are alive. */
export const changeIsolates = (changed: (given: Given, others: number) => Given): void => {
  change = changed
}
