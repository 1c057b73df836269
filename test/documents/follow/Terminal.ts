/** Terminals of somebody who follows a page: commands that end, and servers that go on until Ctrl-C. */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import { root } from "../documents.ts"
import { attempt, ended } from "../../mount/processes.ts"
import { patienceMilliseconds } from "../../patience.ts"

/** A program that has not ended when the next line is read. */
interface Server {
  readonly command: string
  readonly process: ChildProcess
  readonly said: () => string
}

/** The mountpoints of filesystems by this program that are there now. */
export const mountpoints = (): ReadonlyArray<string> =>
  Array.from(readFileSync("/proc/self/mounts", "utf8").matchAll(/^\S+ (\S+) fuse\.\S+ /gm), ([, place = ""]) => place)

const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const limit = performance.now() + patienceMilliseconds
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`${what} never came about`)
    await setTimeout(50)
  }
}

/** The shell becomes the command; variables before it are for it alone. */
const withExec = (command: string): string => command.replace(/^(?:[A-Z_]+=\S+ )*/, "$&exec ")

export class Terminal {
  readonly #directory: string
  #environment: NodeJS.ProcessEnv
  readonly #servers = new Set<Server>()

  constructor(directory: string, environment: NodeJS.ProcessEnv) {
    this.#directory = directory
    this.#environment = environment
  }

  /** Sets a variable for the commands that follow, as `export` does. */
  set(name: string, value: string): void {
    this.#environment = { ...this.#environment, [name]: value }
  }

  /** Runs a command to its end, which has to be a good one; gives what it prints. */
  async run(command: string): Promise<string> {
    const { signal, status, stderr, stdout } = await attempt("sh", ["-euc", command], {
      cwd: this.#directory,
      env: this.#environment
    })
    if (status !== 0) throw new Error(`${command}: ended with ${signal ?? status}: ${stdout}${stderr}${this.#log()}`)
    return stdout
  }

  /** Starts a command that goes on, and waits until it is ready, or has ended well. */
  async serve(command: string, isReady: (said: string) => boolean | Promise<boolean>): Promise<string> {
    // A group of its own, as in a terminal: npm has the server as its child.
    const server = spawn("sh", ["-euc", withExec(command)], {
      // npm's scripts are those of the checkout.
      cwd: /^npm (start|run) /.test(command) ? root : this.#directory,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    let said = ""
    for (const stream of [server.stdout, server.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text))
    const kept: Server = { command, process: server, said: () => said }
    this.#servers.add(kept)
    await until(`what ${command} serves`, () => server.exitCode !== null || isReady(said)).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${said}`)
    })
    if (server.exitCode !== null) {
      this.#servers.delete(kept)
      if (server.exitCode !== 0) throw new Error(`${command}: ended with ${server.exitCode}: ${said}`)
    }
    return said
  }

  /** Ctrl-C in each terminal, or for those that a test says; each has to end well. */
  async interrupt(which: (command: string) => boolean = () => true): Promise<void> {
    for (const server of [...this.#servers].filter(({ command }) => which(command)).reverse()) {
      const { command, process: child, said } = server
      this.#servers.delete(server)
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        process.kill(-child.pid, "SIGINT")
      const { signal, status } = await ended(child)
      // A shell, npm or a program that listens for no signal ends by it, as after any Ctrl-C.
      if (status !== 0 && status !== 130 && signal !== "SIGINT")
        throw new Error(`${command}: ended with ${signal ?? status} after Ctrl-C: ${said()}`)
    }
  }

  #log(): string {
    return [...this.#servers].map(({ command, said }) => `\n${command} has said: ${said()}`).join("")
  }
}
