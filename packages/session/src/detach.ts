/** The end of a mount that nobody serves any more. */
import { abortConnection, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"

/** Whoever still waits for an answer is let go, and no dead mountpoint is left behind. */
export const detach = (mount: { readonly mountpoint: string; readonly device: string }): Effect.Effect<void> =>
  Effect.andThen(Effect.ignore(abortConnection(mount)), Effect.ignore(unmountDevice(mount, { lazy: true })))
