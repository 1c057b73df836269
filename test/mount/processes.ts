/**
 * Commands on a live mount, each in a process of its own: a call of this process's own into a mount
 * that does not answer would hang the test run, and nothing could end it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { patienceMilliseconds } from "../patience.ts"

export interface Outcome {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Default: `patienceMilliseconds`. */
  readonly timeoutMilliseconds?: number
  /** Called when the time is up, before the process is killed: to let it out of a call that hangs. */
  readonly onTimeout?: () => Promise<string>
}

/** Waits for a process's end. */
export const ended = (
  child: ChildProcess
): Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ status: child.exitCode, signal: child.signalCode })
    else child.once("exit", (status, signal) => resolve({ status, signal }))
  })

/** Runs a command to its end; fails when it takes too long, with what it had said by then. */
export const attempt = (command: string, args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const { timeoutMilliseconds = patienceMilliseconds } = options
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? "/",
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    let late: string | undefined
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    const timer = setTimeout(async () => {
      late = `took more than ${timeoutMilliseconds} ms`
      if (options.onTimeout !== undefined) late += `; ${await options.onTimeout()}`
      child.kill("SIGKILL")
    }, timeoutMilliseconds)
    child.once("error", (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once("close", (status, signal) => {
      clearTimeout(timer)
      if (late === undefined) resolve({ status, signal, stdout, stderr })
      else reject(new Error(`${command} ${args.join(" ")} ${late}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`))
    })
  })

/** As `attempt`, and fails when the command does. Gives its standard output. */
export const run = async (command: string, args: ReadonlyArray<string>, options: RunOptions = {}): Promise<string> => {
  const outcome = await attempt(command, args, options)
  if (outcome.status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with ${outcome.signal ?? outcome.status}\n${outcome.stdout.slice(-2000)}${outcome.stderr.slice(-4000)}`
    )
  }
  return outcome.stdout
}
