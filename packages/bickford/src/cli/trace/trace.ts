/** `bickford trace`: a mount's calls as they are answered. */
import { follow } from "@bickford/daemon"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { findAskedMount } from "../daemonMount.ts"
import { mountPath } from "../arguments.ts"
import { styled } from "../styled.ts"
import { callLine } from "./callLine.ts"

/** What was asked for. */
export interface TraceRequest {
  readonly mount: string
  /** As the control socket takes them: `op`, `path`, `pid`, `error`, `slow`. */
  readonly conditions: URLSearchParams
  /** Records as they come. */
  readonly json: boolean
  /** To end after; without end when it is undefined. */
  readonly most: number | undefined
}

const lineOf = (record: string): string => {
  const line = callLine(record)
  if (line === undefined) return ""
  return `${line.isError ? styled("red", line.text) : line.text}\n`
}

/** Until Ctrl-C, the daemon's end, or the number of calls that was asked for. */
export const trace = Effect.fnUntraced(function* (
  runtimeDirectory: string,
  { conditions, json, most = Number.POSITIVE_INFINITY, mount }: TraceRequest
) {
  const found = yield* findAskedMount(runtimeDirectory, mount)
  const path = found.servedBy === "daemon" ? mountPath(found.mount.name, "calls") : "/calls"
  const enough = yield* Deferred.make<void>()
  let rest = ""
  let left = most
  const hear = (text: string): void => {
    const records = (rest + text).split("\n")
    rest = records.pop() ?? ""
    for (const record of records) {
      if (left-- <= 0) break
      process.stdout.write(json ? `${record}\n` : lineOf(record))
    }
    if (left <= 0) Deferred.doneUnsafe(enough, Effect.void)
  }
  yield* Effect.raceFirst(follow(found.socket, `${path}?${conditions}`, hear), Deferred.await(enough))
})
