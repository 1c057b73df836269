/**
 * The processes behind calls, as /proc tells of them while they wait. One is looked at at a time, by a thread of the pool:
 * the kernel may have the look wait for the process's memory, and so for the call itself.
 */
import { readFile } from "node:fs/promises"
import type { Caller } from "./messages.ts"

/** Bytes of an environment that are looked through. */
const environmentMost = 1024 * 1024

/** `traceparent` of version 00 (W3C Trace Context, 3.2); all zeros name nothing. */
const traceparentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The variable TRACEPARENT of an environment, as /proc/PID/environ has it; undefined where there is none, or no valid one. */
export const traceparentIn = (environment: Buffer): string | undefined => {
  const mark = "TRACEPARENT="
  const variable = environment
    .subarray(0, environmentMost)
    .toString("latin1")
    .split("\0")
    .find((one) => one.startsWith(mark))
  const value = variable?.slice(mark.length).trim()
  return value !== undefined && traceparentForm.test(value) ? value : undefined
}

/** What a file of /proc holds; undefined when the process is gone, or is not ours to see. */
const contentOf = (pid: number, file: string): Promise<Buffer | undefined> =>
  readFile(`/proc/${pid}/${file}`).catch(() => undefined)

let last: Promise<unknown> = Promise.resolve()

const lookAt = async (pid: number, environment: boolean): Promise<Caller> => {
  const program = (await contentOf(pid, "comm"))?.toString("utf8").trim()
  const variables = environment ? await contentOf(pid, "environ") : undefined
  const traceparent = variables === undefined ? undefined : traceparentIn(variables)
  return {
    ...(program === undefined ? {} : { program }),
    ...(traceparent === undefined ? {} : { traceparent })
  }
}

/** Looks at a process, after those asked for before; `environment` says whether its TRACEPARENT is wanted, too. */
export const callerOf = (pid: number, environment: boolean): Promise<Caller> => {
  if (pid === 0) return Promise.resolve({})
  const looked = last.then(() => lookAt(pid, environment))
  last = looked
  return looked
}
