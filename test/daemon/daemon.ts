/** A daemon in a process of its own, for the life of a scope. */
import { printableJson } from "@bickford/protocol"
import { abortConnection, findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { MountConfig } from "../../packages/daemon/src/config/DaemonConfig.ts"
import { ask, askStatus } from "../../packages/daemon/src/control/client.ts"
import { socketIn } from "../../packages/daemon/src/control/runtimeDirectory.ts"
import type { MountStatus } from "../../packages/daemon/src/control/StatusReport.ts"
import { makeMountpoint, root } from "../mount/bickford.ts"
import { ended, run } from "../mount/processes.ts"
import { farewellMilliseconds, patienceMilliseconds } from "../patience.ts"

/** A fresh folder, for stores and runtime directories. */
export const workFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-daemon-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** Fresh folders to mount on; what is left mounted there is detached with the scope. */
export const mountpoints = (count: number): Effect.Effect<ReadonlyArray<string>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => Promise.all(Array.from({ length: count }, makeMountpoint))),
    (places) =>
      Effect.promise(async () => {
        for (const place of places) {
          for (let there = findMount(place); there !== undefined; there = findMount(place)) {
            await Effect.runPromise(Effect.ignore(abortConnection(there)))
            await run("umount", ["-l", place])
          }
          await rm(place, { recursive: true, force: true })
        }
      })
  )

export const mountConfig = (
  name: string,
  source: string,
  mountpoint: string,
  other: Partial<MountConfig> = {}
): MountConfig => ({
  name,
  source,
  mountpoint,
  options: [],
  restart: { intensity: 5, period: 10_000, backoff: { initial: 10, max: 100 } },
  whenLost: "restart",
  limits: {},
  heartbeat: 30_000,
  startTimeout: 120_000,
  slowCall: 100,
  traceparent: false,
  ...other
})

/** Waits, looking again and again, until something is so. */
export const until = <A>(
  look: () => Promise<A | undefined>,
  what: string,
  milliseconds = patienceMilliseconds
): Promise<A> => {
  const deadline = Date.now() + milliseconds
  const again = async (): Promise<A> => {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    return again()
  }
  return again()
}

/** The `bickford` program, its arguments left out. */
export const bickfordCommand: ReadonlyArray<string> = [
  process.execPath,
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  join(root, "packages", "bickford", "src", "cli", "main.ts")
]

/** The command that starts a daemon with the configuration in a file. */
export const daemonCommand = (file: string): ReadonlyArray<string> => [...bickfordCommand, "daemon", "--config", file]

const milliseconds = (value: number): string => `"${value}ms"`

/** Where a daemon sends telemetry, as its configuration has it. */
export interface OtlpSettings {
  readonly endpoint: string
  readonly headers: { readonly [name: string]: string }
  readonly interval: string
}

const otlpLines = ({ endpoint, headers, interval }: OtlpSettings): ReadonlyArray<string> => [
  "[otlp]",
  `endpoint = ${JSON.stringify(endpoint)}`,
  `interval = ${JSON.stringify(interval)}`,
  "[otlp.headers]",
  ...Object.entries(headers).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
]

/** A configuration file. Of TOML's text and lists of it, JSON's are a part, but for the control character DEL. */
export const toml = (
  runtimeDirectory: string,
  mounts: ReadonlyArray<MountConfig>,
  port?: number,
  otlp?: OtlpSettings
): string =>
  [
    `runtime_directory = ${JSON.stringify(runtimeDirectory)}`,
    ...(port === undefined ? [] : [`port = ${port}`]),
    ...(otlp === undefined ? [] : otlpLines(otlp)),
    ...mounts.flatMap(
      ({
        heartbeat,
        startTimeout,
        limits,
        mountpoint,
        name,
        options,
        slowCall,
        traceparent,
        restart: { backoff, intensity, period },
        source,
        whenLost
      }) => [
        `[mounts.${printableJson(name)}]`,
        `source = ${JSON.stringify(source)}`,
        `mountpoint = ${JSON.stringify(mountpoint)}`,
        `options = ${JSON.stringify(options)}`,
        `restart = { intensity = ${intensity}, period = ${milliseconds(period)}, backoff = { initial = ${milliseconds(backoff.initial)}, max = ${milliseconds(backoff.max)} } }`,
        `when_lost = "${whenLost}"`,
        `heartbeat = ${milliseconds(heartbeat)}`,
        `start_timeout = ${milliseconds(startTimeout)}`,
        `slow_call = ${milliseconds(slowCall)}`,
        `traceparent = ${traceparent}`,
        ...(limits.memory === undefined ? [] : [`limits = { memory = ${limits.memory} }`])
      ]
    )
  ].join("\n")

export interface Daemon {
  readonly process: ChildProcess
  readonly socket: string
  readonly log: () => string
  readonly status: () => Promise<ReadonlyArray<MountStatus>>
  readonly mount: (name: string) => Promise<MountStatus>
  /** Waits for a mount to be in a state. */
  readonly reaches: (name: string, state: MountStatus["state"]) => Promise<MountStatus>
  readonly post: (path: string) => Promise<string>
  /** Writes another configuration, to be read when it is told to. */
  readonly configure: (mounts: ReadonlyArray<MountConfig>) => Promise<void>
  /** SIGTERM, and how it ended. */
  readonly stop: () => Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Starts a daemon in a runtime directory, and waits until its control socket answers. */
export const startDaemon = (folder: string, mounts: ReadonlyArray<MountConfig>, port?: number, otlp?: OtlpSettings) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Daemon> => {
      const runtimeDirectory = join(folder, "run")
      const file = join(folder, "bickford.toml")
      const configure = (wanted: ReadonlyArray<MountConfig>) =>
        writeFile(file, toml(runtimeDirectory, wanted, port, otlp))
      await configure(mounts)
      const [program = "", ...args] = daemonCommand(file)
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
      let said = ""
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (said += text))
      const socket = socketIn(runtimeDirectory)
      const status = async () => (await Effect.runPromise(askStatus(socket))).mounts
      const mount = async (name: string): Promise<MountStatus> => {
        const found = (await status()).find((one) => one.name === name)
        if (found === undefined) throw new Error(`no mount ${name}`)
        return found
      }
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${said}`)
        const answer = await Effect.runPromise(Effect.option(askStatus(socket)))
        return answer._tag === "Some" && answer.value.pid === child.pid ? true : undefined
      }, "a daemon that answers")
      return {
        process: child,
        socket,
        log: () => said,
        status,
        mount,
        reaches: (name, state) =>
          until(async () => {
            const found = await mount(name)
            if (found.state === "failed" && state !== "failed") throw new Error(`${name} failed`)
            return found.state === state ? found : undefined
          }, `${name} is ${state}`).catch(async (error: unknown) => {
            throw new Error(
              `${String(error)}; it is ${JSON.stringify(await mount(name))}; the log: ${said.slice(-2000)}`
            )
          }),
        post: (path) => Effect.runPromise(ask(socket, "POST", path)),
        configure,
        stop: () => {
          child.kill("SIGTERM")
          return ended(child)
        }
      }
    }),
    (daemon) =>
      Effect.promise(async () => {
        const late = setTimeout(() => daemon.process.kill("SIGKILL"), farewellMilliseconds)
        await daemon.stop()
        clearTimeout(late)
      })
  )
