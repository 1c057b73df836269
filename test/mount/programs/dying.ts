/**
 * As resumable.ts, of a server that kills itself at its worst moment: `dying.ts STORE MOMENT BATCHES`, when it
 * has served so many batches of requests.
 */
import { sqlite, type SqliteBackend } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { serveDevice } from "./device.ts"

const [store = "", moment = "", batches = "1"] = process.argv.slice(2)
let left = Number(batches)

const die = (): void => {
  if (--left === 0) process.kill(process.pid, "SIGKILL")
}

const dying = (backend: SqliteBackend): SqliteBackend => {
  const commit = backend.commit ?? Effect.void
  switch (moment) {
    case "before the commit":
      return { ...backend, commit: Effect.andThen(Effect.sync(die), commit) }
    case "between commit and reply":
      return { ...backend, commit: Effect.tap(commit, Effect.sync(die)) }
    case "after the reply":
      return {
        ...backend,
        delivered: (uniques) => {
          die()
          backend.delivered?.(uniques)
        }
      }
    case "between reading and decoding":
      return backend
    default:
      throw new Error(`no moment: ${moment}`)
  }
}

await serveDevice(Effect.map(sqlite(store), dying), moment === "between reading and decoding" ? die : undefined)
