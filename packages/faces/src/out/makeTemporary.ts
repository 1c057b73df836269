/** Directories with a name of their own, as mkdtemp(3) makes them. */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import type { Called, NodeCalls } from "./NodeCalls.ts"

/** Only their owner may use them. */
const privateMode = 0o700

/** Makes a directory: `prefix` and six random characters. */
export const makeTemporary = (calls: NodeCalls, prefix: string): Called<string> =>
  Effect.suspend(() => {
    const path = prefix + randomBytes(9).toString("base64url").replaceAll(/[-_]/g, "x").slice(0, 6)
    return Effect.matchEffect(calls.mkdir(path, privateMode), {
      onSuccess: () => Effect.succeed(path),
      onFailure: (error) => (error.code === "EEXIST" ? makeTemporary(calls, prefix) : Effect.fail(error))
    })
  })
