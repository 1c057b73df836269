/** Answers that are waited for. */
import type { ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { failureOf } from "./answers.ts"

/** The answer to a promise of a status. */
export const awaited = <A>(start: () => Promise<number>, value: (status: number) => A): Effect.Effect<A, ErrnoError> =>
  Effect.flatMap(Effect.promise(start), (status) => (status < 0 ? failureOf(status) : Exit.succeed(value(status))))
