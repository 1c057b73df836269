/** Runs programs/load.c. */
import { run } from "../test/mount/processes.ts"
import { compile } from "./contenders.ts"
import { abortMount, benchFolder } from "./workplace.ts"
import { join } from "node:path"

/** One measurement; latencies in microseconds. */
export interface Measurement {
  readonly operation: string
  readonly threads: number
  readonly seconds: number
  readonly operations: number
  readonly operationsPerSecond: number
  readonly mebibytesPerSecond: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly cpuSeconds: number
}

export interface Load {
  readonly operation: string
  readonly seconds: number
  readonly threads?: number
  readonly environment?: NodeJS.ProcessEnv
}

export type Loader = (folder: string, load: Load) => Promise<Measurement>

const isMeasurement = (value: unknown): value is Measurement =>
  typeof value === "object" &&
  value !== null &&
  "operationsPerSecond" in value &&
  typeof value.operationsPerSecond === "number"

/** Compiles the generator; what it measures runs on `cpus`. */
export const makeLoader = async (cpus: string): Promise<Loader> => {
  const program = await compile(join(benchFolder, "programs", "load.c"), "load")
  return async (folder, { environment, operation, seconds, threads = 1 }) => {
    const output = await run("taskset", ["-c", cpus, program, folder, String(threads), String(seconds), operation], {
      env: { ...process.env, ...environment },
      timeoutMilliseconds: 60_000 + seconds * 2000,
      onTimeout: () => abortMount(folder)
    })
    const measured: unknown = JSON.parse(output)
    if (!isMeasurement(measured)) throw new Error(`load said ${output}`)
    return measured
  }
}
