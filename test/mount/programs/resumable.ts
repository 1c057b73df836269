/**
 * A server that can be killed: serves a store on a device that its parent holds (descriptor 4), and takes
 * over where the one before it was killed. `resumable.ts STORE`; the parent sends `{ resume }` and is sent
 * the connection's record before INIT is answered, then "serving".
 */
import { sqlite } from "@bickford/backends"
import { serveDevice } from "./device.ts"

const [store = ""] = process.argv.slice(2)

await serveDevice(sqlite(store))
