/** The `bickford` program on the real kernel. */
import { findMount, type MountEntry } from "@bickford/transport"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { farewellMilliseconds, patienceMilliseconds } from "../patience.ts"
import { attempt, ended, type Outcome, run, type RunOptions } from "./processes.ts"

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const main = [
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  join(root, "packages", "bickford", "src", "cli", "main.ts")
]

/** Runs `bickford` to its end. */
export const bickford = (args: ReadonlyArray<string>, options?: RunOptions): Promise<Outcome> =>
  attempt(process.execPath, [...main, ...args], options)

export interface Served {
  readonly mountpoint: string
  readonly server: ChildProcess
  /** The mount as the kernel lists it, while it is there. */
  readonly mounted: () => MountEntry | undefined
  /** Runs a command that works inside the mount; one that hangs has the connection aborted under it. */
  readonly run: (command: string, args: ReadonlyArray<string>, options?: RunOptions) => Promise<string>
  /** Aborts the connection: whoever hangs in a call goes on. Tells what is known of it. */
  readonly letGo: () => Promise<string>
  /** What the server has written to stderr. */
  readonly log: () => string
  /** The exit status, or the signal that ended the server. */
  readonly end: () => Promise<number | NodeJS.Signals | null>
}

const control = (device: string): string => `/sys/fs/fuse/connections/${device.split(":")[1]}`

/** Aborts the connection, so that whoever waits for it goes on; says how many calls were waiting. */
export const abort = async (mounted: MountEntry | undefined): Promise<string> => {
  if (mounted === undefined) return "the mount was gone"
  await attempt("mountpoint", ["-q", "/sys/fs/fuse/connections"]).then((probe) =>
    probe.status === 0 ? probe : attempt("mount", ["-t", "fusectl", "fusectl", "/sys/fs/fuse/connections"])
  )
  const waiting = (await readFile(join(control(mounted.device), "waiting"), "utf8").catch(() => "unknown")).trim()
  await writeFile(join(control(mounted.device), "abort"), "1").catch(() => undefined)
  return `the connection was aborted with ${waiting} calls in flight`
}

/**
 * Starts `bickford mount SOURCE MOUNTPOINT` and waits until it says that it serves; `through`, a command that runs the
 * command after it, as `prlimit`.
 */
export const start = async (
  mountpoint: string,
  args: ReadonlyArray<string> = [],
  source = "memory:",
  through: ReadonlyArray<string> = []
): Promise<Served> => {
  const [program = "", ...rest] = [...through, process.execPath, ...main, "mount", ...args, source, mountpoint]
  const server = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] })
  let log = ""
  server.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
  let said = ""
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      server.kill("SIGKILL")
      reject(new Error(`the server did not get ready: ${said}${log}`))
    }, patienceMilliseconds)
    server.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text
      if (!said.includes(" is mounted at ")) return
      clearTimeout(timer)
      resolve()
    })
    server.once("exit", (status, signal) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${signal ?? status}: ${said}${log}`))
    })
  })
  const mounted = () => findMount(mountpoint)
  const letGo = async () => `${await abort(mounted())}; the server said: ${log}`
  return {
    mountpoint,
    server,
    mounted,
    letGo,
    log: () => log,
    run: (command, commandArgs, options) => run(command, commandArgs, { onTimeout: letGo, ...options }),
    end: async () => {
      const { signal, status } = await ended(server)
      return signal ?? status
    }
  }
}

/** A fresh folder to mount on, its path as the kernel will list it. */
export const makeMountpoint = async (): Promise<string> => realpath(await mkdtemp(join(tmpdir(), "bickford-mount-")))

/** Whether a server ends by itself. */
const endsSoon = (served: Served): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), farewellMilliseconds)
    void served.end().then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })

/** Takes away whatever a test left behind: the servers, the mounts, the folder. */
export const cleanUp = async (mountpoint: string, servers: ReadonlyArray<Served>): Promise<void> => {
  for (const served of servers) {
    served.server.kill("SIGTERM")
    if (await endsSoon(served)) continue
    await abort(served.mounted())
    served.server.kill("SIGKILL")
    await served.end()
  }
  while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
  await rm(mountpoint, { recursive: true, force: true })
}

/** Runs `body` with a live mount, and leaves nothing behind. */
export const withMount = async <A>(
  body: (served: Served) => Promise<A>,
  args: ReadonlyArray<string> = [],
  source = "memory:",
  begin: (mountpoint: string, args: ReadonlyArray<string>, source: string) => Promise<Served> = start
): Promise<A> => {
  const mountpoint = await makeMountpoint()
  const servers: Array<Served> = []
  try {
    const served = await begin(mountpoint, args, source)
    servers.push(served)
    return await body(served)
  } finally {
    await cleanUp(mountpoint, servers)
  }
}
