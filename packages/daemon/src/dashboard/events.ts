/**
 * What the page hears, as server-sent events: once `history`, then each second `report`, and `mount` of the one that is
 * looked at. A reader that does not take them misses some; the mounts do not wait for it.
 */
import { type Negotiated, printableJson } from "@bickford/protocol"
import type { ServerResponse } from "node:http"
import type { MountStatus, StatusReport } from "../control/StatusReport.ts"
import type { SlowCalls } from "../keeper/SlowCallTable.ts"
import type { TreeStatus } from "../keeper/TreeLog.ts"
import { percentile } from "../metrics/latencies.ts"
import type { StoreStatus } from "./stores.ts"
import type { RateKeeper, Rates } from "./rates.ts"

/** A mount's line on the page. */
interface Overview extends Pick<
  MountStatus,
  "name" | "source" | "mountpoint" | "state" | "pid" | "since" | "restarts" | "lastCause" | "inFlight" | "workerRss"
> {
  readonly rates: Rates
  /** Of the calls of the last second, in microseconds. */
  readonly p50: number
  readonly p99: number
}

const overviewOf = (mount: MountStatus, keeper: RateKeeper): Overview => {
  const { inFlight, lastCause, mountpoint, name, pid, restarts, since, source, state, workerRss } = mount
  const { latencies = {}, rates = { operations: 0, errors: 0, read: 0, written: 0 } } = keeper.recent(name) ?? {}
  return {
    name,
    source,
    mountpoint,
    state,
    since,
    restarts,
    inFlight,
    workerRss,
    ...(pid === undefined ? {} : { pid }),
    ...(lastCause === undefined ? {} : { lastCause }),
    rates,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99)
  }
}

/** Bytes that may wait for a reader. */
const pending = 1024 * 1024

/** What only a reader who may act is told of a mount. */
type Inside = SlowCalls &
  Partial<TreeStatus> & {
    /** What INIT agreed on. */
    readonly negotiated: Negotiated | undefined
    readonly store: StoreStatus | undefined
  }

export interface Told {
  readonly report: () => StatusReport
  readonly rates: RateKeeper
  /** Of a mount by its name. */
  readonly inside: (name: string) => Inside | undefined
}

/** Sends events until the reader is gone; `mayAct` is what the reader is told of itself, `looked` the mount it looks at. */
export const streamEvents = (
  response: ServerResponse,
  { inside, rates, report }: Told,
  mayAct: boolean,
  looked: string | null
): void => {
  response.socket?.setTimeout(0)
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" })
  const send = (event: string, data: unknown): void => {
    if (response.writableLength < pending) response.write(`event: ${event}\ndata: ${printableJson(data)}\n\n`)
  }
  const tell = (): void => {
    const { mounts, pid, rss, startedAt, version } = report()
    const mount = looked === null ? undefined : mounts.find(({ name }) => name === looked)
    // Whose calls they are, and of which paths, is not everybody's to know.
    if (mount !== undefined) send("mount", { ...mount, ...(mayAct ? inside(mount.name) : {}) })
    send("report", {
      version,
      pid,
      rss,
      startedAt,
      mayAct,
      mounts: mounts.map((one) => overviewOf(one, rates))
    })
  }
  send("history", Object.fromEntries(report().mounts.map(({ name }) => [name, rates.history(name).map(Math.round)])))
  tell()
  response.once("close", rates.watch(tell))
}
