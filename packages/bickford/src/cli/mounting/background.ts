/** `bickford mount --background`: returns once it is mounted, or with the reason why it is not. */
import { type CommandError, commandError, makeLineReader, sameCommand, withAbsolutePath } from "@bickford/daemon"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { resolve } from "node:path"
import { givenDevice, notADevice } from "./givenDevice.ts"
import type { MountRequest } from "./MountRequest.ts"
import { backgroundMark, type Outcome } from "../starter.ts"

const isOutcome = (message: unknown): message is Outcome =>
  typeof message === "object" && message !== null && ("mounted" in message || "failed" in message)

/** The process's descriptor that it tells by what came of it. */
const tells = 3
/** The process's descriptor for a device that was passed on. */
const passedOn = 4

/** How long a process and its channel may outlive each other (milliseconds). */
const grace = 2000

/** Calls back with what a process tells, and when it can tell no more. */
const hear = (served: ChildProcess, told: (outcome: Outcome) => void, silent: () => void): void => {
  // Node leaves it undefined when there are no descriptors left.
  const streams: ReadonlyArray<unknown> | undefined = served.stdio
  const socket = streams?.[tells]
  if (!(socket instanceof Socket)) return silent()
  const line = makeLineReader({
    said: (message) => {
      if (isOutcome(message)) told(message)
    },
    tooLong: () => socket.destroy()
  })
  socket
    .on("error", () => {})
    .on("data", line)
    .once("close", silent)
}

/** The system's log takes what a process in the background says; where there is none, nobody does. */
const systemLog = (): Promise<ChildProcess | undefined> =>
  new Promise((done) => {
    const logger = spawn("logger", ["--tag", "bickford"], { stdio: ["pipe", "ignore", "ignore"], detached: true })
    logger.once("error", () => done(undefined))
    logger.once("spawn", () => done(logger))
  })

const start = async (request: MountRequest): Promise<Outcome> => {
  const device = givenDevice(request.mountpoint)
  const wrong = device === undefined ? undefined : notADevice(device)
  if (wrong !== undefined) return { failed: `${request.mountpoint} ${wrong}` }
  const logger = await systemLog()
  const { args, file } = sameCommand()
  const options = request.options.flatMap((text) => ["-o", text])
  const mountpoint = device === undefined ? resolve(request.mountpoint) : `/dev/fd/${passedOn}`
  const served = spawn(
    file,
    [...args, "mount", ...options, withAbsolutePath(request.source, (path) => resolve(path)), mountpoint],
    {
      cwd: "/",
      detached: true,
      stdio: ["ignore", "ignore", logger?.stdin ?? "ignore", "pipe", ...(device === undefined ? [] : [device])],
      env: { ...process.env, [backgroundMark]: String(tells) }
    }
  )
  const outcome = await new Promise<Outcome>((done) => {
    let reason: string | undefined
    let isTold = false
    let late: NodeJS.Timeout | undefined
    const told = (message: Outcome): void => {
      isTold = true
      if ("mounted" in message) done(message)
      else reason = message.failed
    }
    // A process that goes on, and has closed what it tells by: nobody would learn what comes of it.
    const end = (): void => {
      reason = "the process in the background closed its channel before it was mounted"
      served.kill("SIGTERM")
    }
    hear(served, told, () => {
      if (!isTold) late = setTimeout(end, grace)
    })
    served.once("error", (error) => done({ failed: error.message }))
    // A process that failed is waited for: it leaves nothing behind when the command says why.
    served.once("exit", () => clearTimeout(late))
    served.once("close", (status, signal) =>
      done({ failed: reason ?? `the process in the background ended with ${signal ?? status}` })
    )
  })
  served.unref()
  logger?.unref()
  logger?.stdin?.destroy()
  return outcome
}

/** Serves in a process of its own, which outlives this one. */
export const serveInBackground = (request: MountRequest): Effect.Effect<void, CommandError> =>
  Effect.flatMap(
    Effect.promise(() => start(request)),
    (outcome) => ("failed" in outcome ? Effect.fail(commandError(outcome.failed)) : Effect.void)
  )
