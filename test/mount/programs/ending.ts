/**
 * Mounts, and does nothing about its end but what it is told: `ending.ts MOUNTPOINTS WORDS...`, mountpoints joined by
 * commas. It says `ready`, and then does what its standard input says: `exit`, `throw`, `reject`, `answer`.
 *
 * Words: `listens` (for SIGTERM and SIGHUP, and goes on), `exits` (from its own listener, a while later), `once` (unmounts
 * by an AbortSignal), `off` (unmountOnExit), `worker` (served by a thread), `starting` (its backend never starts),
 * `leaves` (exits when the mount has ended), `library` (uses signal-exit), `promise` (reads wait for twenty seconds),
 * `patient` (with whoever uses the mount), `memory` (another filesystem).
 */
import { type AsyncBackend, memory, mount } from "bickford"
import { mountWorker } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { onExit } from "signal-exit"
import { setTimeout } from "node:timers/promises"
import { oneFile } from "../oneFile.ts"

const [mountpoints = "", ...words] = process.argv.slice(2)
const has = (word: string): boolean => words.includes(word)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Its file answers when standard input says `answer`. */
const answering = Promise.withResolvers<void>()

const answered = oneFile({
  read: () => {
    say("reading")
    return Effect.as(
      Effect.promise(() => answering.promise),
      Buffer.from("hello")
    )
  }
})

/** Waits as a slow `fetch` would, twenty seconds, unless it is told to stop. */
const slow: AsyncBackend = {
  ...oneFile(),
  read: async (_, { signal }) => {
    say("reading")
    await setTimeout(20_000, undefined, { signal }).catch(() => say("told to stop"))
    return Buffer.from("late")
  }
}

const stop = new AbortController()
if (has("listens")) for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => say(`own ${signal}`))
if (has("exits")) process.on("SIGTERM", () => setImmediate(() => process.exit(7)))
if (has("once")) process.once("SIGTERM", () => stop.abort())
if (has("library")) onExit((code, signal) => say(`signal-exit ${code} ${signal}`))

const options = {
  stopTimeout: has("patient") ? "1 hour" : "100 millis",
  ...(has("off") ? { unmountOnExit: false } : {}),
  ...(has("once") ? { signal: stop.signal } : {})
} as const

const serve = async (mountpoint: string): Promise<void> => {
  if (has("worker")) {
    const scope = await Effect.runPromise(Scope.make())
    await Effect.runPromise(
      Scope.provide(
        mountWorker(new URL("./filesystem.ts", import.meta.url), { mountpoint, stopTimeout: "100 millis" }),
        scope
      )
    )
    return
  }
  const source = has("starting")
    ? Effect.andThen(
        Effect.sync(() => say("ready")),
        Effect.never
      )
    : has("memory")
      ? memory()
      : has("promise")
        ? slow
        : answered
  const mounted = await mount(mountpoint, source, options)
  if (has("leaves")) void mounted.ended.then(() => process.exit(0))
}

await Promise.all(mountpoints.split(",").map(serve))

process.stdin.setEncoding("utf8").on("data", (text: string) => {
  for (const line of text.trim().split("\n")) {
    if (line === "exit") process.exit(5)
    if (line === "throw") throw new Error("thrown on purpose")
    if (line === "reject") void Promise.reject(new Error("rejected on purpose"))
    if (line === "answer") answering.resolve()
  }
})
say("ready")
