/** Every operation on every contender, in turn: A B C A B C. */
import type { Loader, Measurement } from "./loader.ts"
import type { Operation } from "./operations.ts"
import type { Options } from "./options.ts"
import { cpuSeconds } from "./process.ts"
import type { Served } from "./served.ts"

/** What a round has measured, and the CPU time of the server meanwhile; 0 where there is none. */
export interface Round extends Measurement {
  readonly serverCpuSeconds: number
}

/** By operation, then by contender: one measurement a round. */
export type Throughput = ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<Round>>>

/** Seconds that a server gets to warm up on an operation, uncounted. */
const warmUp = 0.3

const serverCpu = (pid: number | undefined): number => (pid === undefined ? 0 : cpuSeconds(pid))

/** A contender that fails an operation is left out of it, and `onFailure` told. */
export const measureThroughput = async (
  served: ReadonlyArray<Served>,
  chosen: ReadonlyArray<Operation>,
  load: Loader,
  options: Options,
  onFailure: (contender: string, operation: string, reason: string) => void
): Promise<Throughput> => {
  const results = new Map<string, Map<string, Array<Round>>>()
  for (const { name: operation } of chosen) {
    const ofOperation = new Map<string, Array<Round>>()
    results.set(operation, ofOperation)
    const failed = new Set<string>()
    for (let round = -1; round < options.rounds; round++) {
      for (const { folder, name, operations, pid } of served) {
        if (failed.has(name) || operations?.includes(operation) === false) continue
        try {
          const before = serverCpu(pid)
          const measured = await load(folder, {
            operation,
            seconds: round < 0 ? warmUp : options.seconds,
            threads: options.clients
          })
          if (round < 0) ofOperation.set(name, [])
          else ofOperation.get(name)?.push({ ...measured, serverCpuSeconds: serverCpu(pid) - before })
        } catch (error) {
          failed.add(name)
          ofOperation.delete(name)
          onFailure(name, operation, error instanceof Error ? error.message : String(error))
        }
      }
    }
  }
  return results
}
