/** What a run was made on: numbers mean nothing without it. */
import * as os from "node:os"
import { attempt } from "../test/mount/processes.ts"

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGib: number
  readonly kernel: string
  readonly node: string
  readonly gcc: string
  readonly libfuse: string
}

/** The first line that a program prints, or "none". */
const version = async (command: string, args: ReadonlyArray<string>): Promise<string> => {
  const outcome = await attempt(command, args).catch(() => undefined)
  return outcome?.stdout.trim().split("\n")[0] || "none"
}

export const machine = async (): Promise<Machine> => ({
  cpu: os.cpus()[0]?.model.trim() ?? "unknown",
  cpus: os.availableParallelism(),
  memoryGib: Math.round(os.totalmem() / 2 ** 30),
  kernel: os.release(),
  node: process.versions.node,
  gcc: await version("gcc", ["-dumpfullversion"]),
  libfuse: await version("pkg-config", ["--modversion", "fuse3"])
})
