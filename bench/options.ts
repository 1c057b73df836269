/** The command line of `npm run bench`. */
import { parseArgs } from "node:util"
import { availableParallelism } from "node:os"
import { resolve } from "node:path"

export interface Options {
  /** Seconds of one measurement. */
  readonly seconds: number
  readonly rounds: number
  /** The CPUs that client and server run on, both, as taskset(1) lists them. */
  readonly cpus: string
  /** Threads that ask at once. */
  readonly clients: number
  /** Contenders and operations to leave out all others; empty: all. */
  readonly only: ReadonlyArray<string>
  /** The load alone, without the other measures and real work. */
  readonly throughputOnly: boolean
  readonly json: string | undefined
  /** A folder with a yardstick to run as well, by `node srv.mjs MOUNTPOINT dev`. */
  readonly beside: string | undefined
  /** The URL of an empty database, in which `postgres:` keeps what it serves. */
  readonly postgres: string | undefined
}

export const usage = `npm run bench -- [options]
  --quick            shorter and fewer rounds, and throughput alone
  --only NAMES       these contenders and operations alone, separated by commas
  --rounds N         how often each is measured, in turn (default 3)
  --seconds S        how long, each time (default 0.7)
  --cpu N|all        the CPU that client and server share (default the last), or all of them, unpinned
  --clients N        how many threads ask at once (default 1)
  --throughput       throughput alone
  --json FILE        every measurement, as JSON
  --beside DIR       run DIR/srv.mjs as well
  --postgres URL     run postgres: as well, in the database that URL names`

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`--${name} ${text}: expected a positive number`)
  return value
}

/** Undefined: help was asked for. Throws a TypeError for what is not understood. */
export const parseOptions = (args: ReadonlyArray<string>): Options | undefined => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      throughput: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      cpu: { type: "string" },
      clients: { type: "string", default: "1" },
      json: { type: "string" },
      beside: { type: "string" },
      postgres: { type: "string" }
    }
  })
  if (values.help) return undefined
  const last = availableParallelism() - 1
  return {
    seconds: positive("seconds", values.seconds ?? (values.quick ? "0.3" : "0.7")),
    rounds: positive("rounds", values.rounds ?? (values.quick ? "2" : "3")),
    cpus: values.cpu === "all" ? `0-${last}` : (values.cpu ?? String(last)),
    clients: positive("clients", values.clients),
    only: values.only?.split(",").filter((name) => name !== "") ?? [],
    throughputOnly: values.quick || values.throughput,
    json: values.json === undefined ? undefined : resolve(values.json),
    beside: values.beside === undefined ? undefined : resolve(values.beside),
    postgres: values.postgres
  }
}
