/** The kernel's limit of a request's data, as it bounds what a session asks for. */
import { largestRequest } from "@bickford/transport"
import * as Effect from "effect/Effect"
import type { SessionOptions } from "./SessionOptions.ts"

/** The options with a `maxWrite` that the kernel keeps to: beyond `fs.fuse.max_pages_limit` it would send less without a word. */
export const withinRequestLimit = (options: SessionOptions): Effect.Effect<SessionOptions> =>
  Effect.suspend(() => {
    const { maxWrite } = options
    const most = largestRequest()
    if (maxWrite === undefined || !(maxWrite > most)) return Effect.succeed(options)
    const told = `maxWrite is ${maxWrite}, of which the kernel takes ${most}: raise the sysctl fs.fuse.max_pages_limit before mounting`
    return Effect.as(Effect.logWarning(told), { ...options, maxWrite: most })
  })
