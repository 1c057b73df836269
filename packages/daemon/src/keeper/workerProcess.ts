/** A worker process, as its keeper sees it. */
import { logToStderr } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import type { MountConfig } from "../config/DaemonConfig.ts"
import { workerProgram } from "../ownProgram.ts"
import { shownSource } from "../sources/index.ts"
import { fromKeeper, lineLimit, makeLineReader, toKeeper, writeLine } from "../worker/channel.ts"
import {
  type ConnectionEnd,
  type Covered,
  type FromWorker,
  isFromWorker,
  type ToWorker,
  type Trial
} from "../worker/messages.ts"
import type { Connection } from "./Connection.ts"

/** How a process ended: of itself, with the last it said of why. */
export interface WorkerExit {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** Set when its connection ended, which it said before it exited. */
  readonly ended?: ConnectionEnd
  readonly message?: string
}

export interface WorkerProcess {
  readonly pid: number | undefined
  /** Its code is loaded; or it has ended. */
  readonly ready: Promise<void>
  /** It was waited for, and everything that it had said was heard. */
  readonly exited: Promise<WorkerExit>
  /** Has it find out whether it could serve; how it ended when it could not. */
  readonly tries: (how: Trial) => Promise<WorkerExit | undefined>
  readonly send: (message: ToWorker) => void
  readonly kill: () => void
  /** Is told of every message from now on. */
  readonly listen: (listener: (message: FromWorker) => void) => void
}

const nodeOptions = ({ limits }: MountConfig): ReadonlyArray<string> =>
  limits.memory === undefined ? [] : [`--max-old-space-size=${limits.memory}`]

/** What systemd tells the keeper is for it alone. */
const systemd = new Set([
  "LISTEN_FDNAMES",
  "LISTEN_FDS",
  "LISTEN_PID",
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC"
])

const environment = ({ limits }: MountConfig, compiled: string): NodeJS.ProcessEnv => ({
  NODE_COMPILE_CACHE: compiled,
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !systemd.has(name))),
  ...(limits.threads === undefined ? {} : { UV_THREADPOOL_SIZE: String(limits.threads) })
})

/** Descriptors 4 and 5. */
const descriptorsOf = (connection: Connection | undefined): readonly [number | "ignore", number | "ignore"] => {
  if (connection === undefined) return ["ignore", "ignore"]
  const {
    descriptor,
    device: { underneath }
  } = connection
  return [descriptor, underneath < 0 ? "ignore" : underneath]
}

const warn = (mount: string, text: string): void =>
  void Effect.runFork(Effect.logWarning(text).pipe(Effect.annotateLogs({ mount }), Effect.provide(logToStderr)))

const isAlive = ({ exitCode, pid, signalCode }: ChildProcess): boolean =>
  pid !== undefined && exitCode === null && signalCode === null

/** How long a worker's channel and its process may outlive each other (milliseconds). */
const grace = 2000

/** The keeper's end of a worker's descriptor; none where no process could be started. */
const socketOf = (child: ChildProcess, descriptor: number): Socket | undefined => {
  // Node leaves it undefined when there are no descriptors left.
  const streams: ReadonlyArray<unknown> | undefined = child.stdio
  const stream = streams?.[descriptor]
  if (!(stream instanceof Socket)) return undefined
  // The worker's end is gone, of which `close` tells.
  return stream.on("error", () => {})
}

/** What a connection's mount covers. */
export const coveredBy = ({ device: { device, mountpoint, underneath } }: Connection): Covered => ({
  mountpoint,
  device,
  known: underneath >= 0
})

/** Reads what a worker sends, in pieces: `hear` is given each message; `unheardOf` is told once of what is none. */
const readMessages = (
  hear: (message: FromWorker) => void,
  killBecause: (cause: string) => void,
  unheardOf: () => void
): ((piece: Buffer) => void) => {
  let unheard = 0
  return makeLineReader({
    said: (said) => {
      if (isFromWorker(said)) hear(said)
      else if (unheard++ === 0) unheardOf()
    },
    tooLong: () => killBecause(`the worker sent the keeper a line of more than ${lineLimit} bytes`)
  })
}

/**
 * Starts a process that has the connection's device as its descriptor 4, and what the mount covers, where that is
 * known, as descriptor 5; without a connection neither. It loads its code, compiled by those before it into the
 * folder `compiled` (which halves its start), and waits to be told to serve.
 */
export const startWorker = (
  mount: MountConfig,
  connection: Connection | undefined,
  compiled: string
): WorkerProcess => {
  const { args, file } = workerProgram(nodeOptions(mount))
  const child: ChildProcess = spawn(file, [...args, mount.name, shownSource(mount.source)], {
    cwd: "/",
    env: environment(mount, compiled),
    stdio: ["ignore", "inherit", "inherit", "pipe", ...descriptorsOf(connection), "pipe"]
  })
  const hears = socketOf(child, toKeeper)
  // What comes the wrong way is let go; that the channel ends is seen so.
  const speaks = socketOf(child, fromKeeper)?.resume()
  let listener: (message: FromWorker) => void = () => {}
  let ended: WorkerExit["ended"]
  let message: string | undefined
  let becomeReady = (): void => {}
  let succeed = (): void => {}
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve
  })
  const hear = (said: FromWorker): void => {
    if (said.type === "ready") becomeReady()
    else if (said.type === "tried") succeed()
    else if (said.type === "ended") ended = said.reason
    else if (said.type === "failed") message = said.message
    else listener(said)
  }
  const killBecause = (cause: string): void => {
    message = cause
    child.kill("SIGKILL")
  }
  hears?.on(
    "data",
    readMessages(hear, killBecause, () =>
      warn(mount.name, `the worker ${child.pid} sent the keeper something that is not a message; it was ignored`)
    )
  )
  const silent = new Promise<void>((resolve) => {
    if (hears === undefined) resolve()
    else hears.once("close", () => resolve())
  })
  void silent.then(() => {
    // After what came meanwhile is heard: this process can be stopped itself.
    const look = () =>
      setImmediate(() => {
        if (isAlive(child)) killBecause("the worker closed its channel to the keeper")
      })
    setTimeout(look, grace).unref()
  })
  const exited = new Promise<WorkerExit>((resolve) => {
    const settle = (status: number | null, signal: NodeJS.Signals | null, said = message): void => {
      becomeReady()
      speaks?.destroy()
      resolve({
        status,
        signal,
        ...(ended === undefined ? {} : { ended }),
        ...(said === undefined ? {} : { message: said })
      })
    }
    child.once("error", (error) => {
      if (child.pid === undefined) settle(null, null, error.message)
    })
    child.once("exit", (status, signal) => {
      // The process can be waited for before its last messages are read; a process of its own may hold the channel open.
      const late = setTimeout(() => setImmediate(() => hears?.destroy()), grace)
      void silent.then(() => {
        clearTimeout(late)
        settle(status, signal)
      })
    })
  })
  const send = (said: ToWorker): void => {
    // A channel that has just closed is the end of the process, which is attended to.
    if (speaks?.writable === true) writeLine(speaks, said)
  }
  return {
    pid: child.pid,
    ready,
    exited,
    tries: (how) => {
      const tried = new Promise<undefined>((resolve) => {
        succeed = () => resolve(undefined)
      })
      send({ type: "try", mount, how, ...(connection === undefined ? {} : { covered: coveredBy(connection) }) })
      return Promise.race([tried, exited])
    },
    send,
    kill: () => {
      child.kill("SIGKILL")
    },
    listen: (told) => {
      listener = told
    }
  }
}

/** What a process died of, for people. */
export const causeOf = ({ ended, message, signal, status }: WorkerExit): string => {
  if (ended !== undefined) return `the connection was ${ended}`
  const how = signal === null ? `exited with status ${status}` : `was killed by ${signal}`
  return message === undefined ? `the worker ${how}` : `${message} (the worker ${how})`
}
