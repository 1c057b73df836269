/** A contender that serves: started, watched, and ended so that nothing is left of it. */
import { findMount } from "@bickford/transport"
import { type ChildProcess, spawn } from "node:child_process"
import { attempt, ended } from "../test/mount/processes.ts"
import type { Contender } from "./contenders.ts"
import { abortMount, type Workplace } from "./workplace.ts"

export interface Served {
  readonly name: string
  readonly operations: Contender["operations"]
  /** Where to work. */
  readonly folder: string
  /** The server's process id; undefined when there is none. */
  readonly pid: number | undefined
  /** Milliseconds from the start of the process until its mount was in the kernel's table. */
  readonly readyAfter: number
  readonly stop: () => Promise<void>
}

const readyWithin = 20_000

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

const endsWithin = async (server: ChildProcess, milliseconds: number): Promise<boolean> => {
  const late = new AbortController()
  const result = await Promise.race([
    ended(server).then(() => true),
    new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds)
      late.signal.addEventListener("abort", () => clearTimeout(timer))
    })
  ])
  late.abort()
  return result
}

const stopServer = async (server: ChildProcess, mountpoint: string): Promise<void> => {
  if (findMount(mountpoint) !== undefined) await attempt("umount", ["-l", mountpoint])
  if (await endsWithin(server, 3000)) return
  server.kill("SIGTERM")
  if (await endsWithin(server, 5000)) return
  await abortMount(mountpoint)
  server.kill("SIGKILL")
  await ended(server)
}

let count = 0

/** Starts `contender` on fresh folders, on these CPUs; fails with what the server said when it does not come up. */
export const serve = async (contender: Contender, workplace: Workplace, cpus: string): Promise<Served> => {
  const { command, name, operations } = contender
  const label = `${name}-${count++}`
  const storage = contender.serves === "folder" ? await workplace.makeStorage(`${label}-storage`) : ""
  if (command === undefined)
    return { name, operations, folder: storage, pid: undefined, readyAfter: 0, stop: async () => {} }
  const mountpoint = await workplace.makeFolder(label)
  const start = performance.now()
  const server = spawn("taskset", ["-c", cpus, ...command(mountpoint, storage)], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)))
  let failure: string | undefined
  server.once("error", (error) => (failure = error.message))
  while (findMount(mountpoint) === undefined) {
    if (server.exitCode !== null || server.signalCode !== null) failure ??= said.trim() || "it ended without a word"
    if (performance.now() - start > readyWithin) failure ??= `it was not ready after ${readyWithin} ms: ${said}`
    if (failure !== undefined) {
      if (server.pid !== undefined) await stopServer(server, mountpoint)
      throw new Error(failure)
    }
    await pause(2)
  }
  return {
    name,
    operations,
    folder: mountpoint,
    pid: server.pid,
    readyAfter: performance.now() - start,
    stop: () => stopServer(server, mountpoint)
  }
}
