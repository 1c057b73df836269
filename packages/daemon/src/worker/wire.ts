/** The worker's end of the channel to its keeper. */
import * as Effect from "effect/Effect"
import type { FromWorker, ToWorker } from "./messages.ts"

/** Sends a message; the channel may be gone. */
export const say = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => {})
}

/** Sends a message, and waits until it is in the kernel's hands: it arrives though this process dies now. */
export const sayForSure = (message: FromWorker): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (!process.connected || process.send === undefined) resume(Effect.void)
    else process.send(message, undefined, {}, () => resume(Effect.void))
  })

/** Waits for the first message of a type. */
export const heard = <Type extends ToWorker["type"]>(type: Type): Effect.Effect<Extract<ToWorker, { readonly type: Type }>> =>
  Effect.callback((resume) => {
    const isIt = (message: ToWorker): message is Extract<ToWorker, { readonly type: Type }> => message.type === type
    const listen = (message: ToWorker) => {
      if (!isIt(message)) return
      process.off("message", listen)
      resume(Effect.succeed(message))
    }
    process.on("message", listen)
    return Effect.sync(() => process.off("message", listen))
  })

/** Waits for the keeper to be gone. */
export const orphaned: Effect.Effect<void> = Effect.callback<void>((resume) => {
  if (!process.connected) resume(Effect.void)
  else process.once("disconnect", () => resume(Effect.void))
})
