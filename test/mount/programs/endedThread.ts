/** Ends the thread that mounts for it: `endedThread.ts MOUNTPOINT`. Prints how often it is mounted there, before and after. */
import { mountTable } from "@bickford/transport"
import { once } from "node:events"
import { Worker } from "node:worker_threads"

const [mountpoint = ""] = process.argv.slice(2)
const mounts = (): number => mountTable().filter((entry) => entry.mountpoint === mountpoint).length

// An ordinary user's mount cannot have a synchronous INIT, and is made without.
const worker = new Worker(new URL("./mountingThread.ts", import.meta.url), {
  workerData: { mountpoint, syncInit: true }
})
await once(worker, "message")
console.log(mounts())
await worker.terminate()
console.log(mounts())
