/** The worker's end of the channel to its keeper. */
import * as Effect from "effect/Effect"
import { EventEmitter } from "node:events"
import { Socket } from "node:net"
import { fromKeeper, makeLineReader, toKeeper, writeLine } from "./channel.ts"
import type { FromWorker, ToWorker } from "./messages.ts"

const speaks = new Socket({ fd: toKeeper, readable: false, writable: true })
// Is read all the time, which keeps this process alive while it waits to be told something.
const hears = new Socket({ fd: fromKeeper, readable: true, writable: false })

const messages = new EventEmitter<{ readonly heard: [ToWorker] }>()
let orphan = false
const becameOrphan = new Promise<void>((resolve) => {
  hears.once("close", () => {
    orphan = true
    resolve()
  })
})

// The keeper is gone, of which `close` tells.
for (const socket of [speaks, hears]) socket.on("error", () => {})

const isToWorker = (value: unknown): value is ToWorker => typeof value === "object" && value !== null && "type" in value

const hear = makeLineReader({
  said: (message) => {
    if (isToWorker(message)) messages.emit("heard", message)
  },
  tooLong: () => hears.destroy()
})

/** Sends a message, and calls `done` when the kernel has it or the channel is gone. */
export const say = (message: FromWorker, done?: () => void): void => writeLine(speaks, message, done)

/** Sends a message, and waits until it is in the kernel's hands: it arrives though this process dies now. */
export const sayForSure = (message: FromWorker): Effect.Effect<void> =>
  Effect.callback<void>((resume) => say(message, () => resume(Effect.void)))

/** Tells whether the keeper is gone. */
export const isOrphan = (): boolean => orphan

/** Calls `listener` with every message from now on; what it gives back ends that. */
export const listen = (listener: (message: ToWorker) => void): (() => void) => {
  messages.on("heard", listener)
  // Not before: what nobody listened for would be lost.
  if (hears.listenerCount("data") === 0) hears.on("data", hear)
  return () => void messages.off("heard", listener)
}

/** Waits for the first message of a type. */
export const heard = <Type extends ToWorker["type"]>(
  type: Type
): Effect.Effect<Extract<ToWorker, { readonly type: Type }>> =>
  Effect.callback((resume) => {
    const isIt = (message: ToWorker): message is Extract<ToWorker, { readonly type: Type }> => message.type === type
    const deaf = listen((message) => {
      if (!isIt(message)) return
      deaf()
      resume(Effect.succeed(message))
    })
    return Effect.sync(deaf)
  })

/** Waits for the keeper to be gone. */
export const orphaned: Effect.Effect<void> = Effect.promise(() => becameOrphan)
