/** Being asked to stop: by a terminal, a service manager, or the end of the process that started this one. */
import * as Effect from "effect/Effect"
import { onWrapperEnd } from "./starter.ts"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Waits until this process is asked to stop. The handlers stay for the rest of its life, so that an
 * impatient second Ctrl-C does not kill it while it unmounts.
 */
export const stopSignal: Effect.Effect<void> = Effect.callback<void>((resume) => {
  const stop = () => resume(Effect.void)
  for (const signal of signals) process.on(signal, stop)
  onWrapperEnd(stop)
})
