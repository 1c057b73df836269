/** `bickford trace`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { load, runtimeDirectory } from "../arguments.ts"
import { askedMount } from "../daemonMount.ts"

const condition = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const conditions = {
  op: condition("op", "Only these operations, as LOOKUP,READ"),
  path: condition("path", "Only calls whose path has this in it"),
  pid: condition("pid", "Only calls of this process (or thread)"),
  error: condition("error", "Only calls that failed with this error, as ENOENT (any: with whatever error)"),
  slow: condition("slow", "Only calls that took at least so long, as 10ms or 2s")
}

export const traceCommand = Command.make(
  "trace",
  {
    runtimeDirectory,
    mount: askedMount,
    ...conditions,
    count: Flag.Int("count").pipe(Flag.withDescription("End after so many calls"), Flag.optional),
    json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON lines"), Flag.withDefault(false))
  },
  ({ count, error, json, mount, op, path, pid, runtimeDirectory: directory, slow }) =>
    Effect.flatMap(
      load(() => import("../trace/trace.ts")),
      ({ trace }) =>
        trace(directory, {
          mount,
          json,
          most: Option.getOrUndefined(count),
          conditions: new URLSearchParams(
            Object.entries({ op, path, pid, error, slow }).flatMap(([name, value]): Array<[string, string]> =>
              Option.isSome(value) ? [[name, value.value]] : []
            )
          )
        })
    )
).pipe(Command.withDescription("Watch a mount's calls with their paths, as they are answered, until Ctrl-C"))
