/** What the daemon sends, and how it is asked. */

/** Of one mount, each second: rates are a second's, percentiles of its calls (microseconds). */
export interface Overview {
  readonly name: string
  readonly source: string
  readonly mountpoint: string
  readonly state: string
  readonly pid?: number
  readonly since: number
  readonly restarts: number
  readonly lastCause?: string
  readonly inFlight: number
  readonly workerRss: number
  readonly rates: Rates
  readonly p50: number
  readonly p99: number
}

interface Rates {
  readonly operations: number
  readonly errors: number
  readonly read: number
  readonly written: number
}

export interface Report {
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  readonly rss: number
  /** Whether this reader may also act, and read the calls. */
  readonly mayAct: boolean
  readonly mounts: ReadonlyArray<Overview>
}

/** By the mount's name, its operations a second, the oldest first. */
interface History {
  readonly [name: string]: ReadonlyArray<number>
}

/** A call that took long, or still waits. */
export interface SlowCall {
  /** When it began, in ISO 8601. */
  readonly at: string
  readonly opcode: string
  readonly unique: string
  readonly path?: string
  readonly newPath?: string
  readonly pid: number
  readonly program?: string
  readonly error?: string
  /** Of one that waits. */
  readonly state?: string
  readonly microseconds: number
}

/** A supervisor, or a child of one. */
export interface TreeNode {
  readonly id: string
  readonly type: string
  readonly strategy?: string
  readonly state: string
  readonly since: number
  readonly restarts: number
  readonly lastCause?: string
  readonly lastTrace?: string
  readonly children: ReadonlyArray<TreeNode>
}

/** Something that happened in a tree; `delay` (milliseconds) until it is started again. */
export interface TreeEvent {
  readonly at: number
  readonly path: ReadonlyArray<string>
  readonly what: string
  readonly cause?: string
  readonly delay?: number
}

/** The store of a mount; sizes are bytes. */
interface StoreStatus {
  readonly path: string
  readonly fileBytes: number
  readonly logBytes: number
  readonly freeBytes: number
}

/** All there is of the mount that is looked at. */
export interface Detail {
  readonly name: string
  readonly mountedAt: number
  readonly requests: number
  readonly errors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** What the kernel holds now. */
  readonly nodes: number
  readonly handles: number
  readonly passthroughFiles: number
  readonly history: ReadonlyArray<{ readonly at: number; readonly cause: string }>
  /** For a reader who may act. */
  readonly slow?: ReadonlyArray<SlowCall>
  readonly stuck?: ReadonlyArray<SlowCall>
  readonly store?: StoreStatus
  /** What INIT agreed on, by the names of its fields. */
  readonly negotiated?: { readonly [field: string]: unknown }
  readonly tree?: TreeNode
  readonly events?: ReadonlyArray<TreeEvent>
  readonly budget?: { readonly used: number; readonly most: number; readonly seconds: number }
  readonly operations: {
    readonly [opcode: string]: {
      readonly count: number
      readonly errors: number
      readonly microseconds: number
      readonly latencies: { readonly [step: string]: number }
      readonly p50: number
      readonly p99: number
    }
  }
}

export type Sent =
  | { readonly event: "history"; readonly data: History }
  | { readonly event: "report"; readonly data: Report }
  | { readonly event: "mount"; readonly data: Detail }

const tokenKey = "bickford-token"

/** The token came behind the address's "#"; it is kept for this tab alone, and taken out of the address. */
const takeToken = (): string | undefined => {
  const [, given] = /^#token=([0-9a-f]+)$/.exec(location.hash) ?? []
  if (given !== undefined) {
    sessionStorage.setItem(tokenKey, given)
    history.replaceState(null, "", "#/")
  }
  return sessionStorage.getItem(tokenKey) ?? undefined
}

const token = takeToken()
const headers: { readonly [name: string]: string } = token === undefined ? {} : { authorization: `Bearer ${token}` }

const refusalOf = async (response: Response): Promise<Error> => {
  const text = await response.text()
  try {
    const { error }: { readonly error?: string } = JSON.parse(text)
    return new Error(error ?? text)
  } catch {
    return new Error(text)
  }
}

export type Action = "restart" | "kill" | "unmount" | "prune" | "epoch" | "interrupt"

/** Does something to a mount; `query` says more of it. */
export const act = async (name: string, action: Action, query = ""): Promise<void> => {
  const response = await fetch(`mounts/${encodeURIComponent(name)}/${action}${query}`, { method: "POST", headers })
  if (!response.ok) throw await refusalOf(response)
}

/** Checks the store of a mount that is not served. */
export const checkStore = async (name: string): Promise<{ readonly clean: boolean; readonly text: string }> => {
  const response = await fetch(`mounts/${encodeURIComponent(name)}/fsck`, { method: "POST", headers })
  if (!response.ok) throw await refusalOf(response)
  const { clean, text }: { readonly clean?: unknown; readonly text?: unknown } = await response.json()
  return { clean: clean === true, text: String(text) }
}

/** The last 24 hours of a mount as CSV. */
export const historyOf = async (name: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(`mounts/${encodeURIComponent(name)}/history`, { headers, signal })
  if (!response.ok) throw await refusalOf(response)
  return response.text()
}

/** What calls are asked for with, so that looking at them takes at most half a percent of the worker's time. */
export const sampled = (conditions: ReadonlyArray<readonly [name: string, value: string]> = []): URLSearchParams =>
  new URLSearchParams([...conditions.map(([name, value]) => [name, value]), ["share", "0.5"]])

/** Gives `onText` an answer's text as it comes, to its end. */
const stream = async (path: string, signal: AbortSignal, onText: (text: string) => void): Promise<void> => {
  const response = await fetch(path, { headers, signal })
  if (!response.ok || response.body === null) throw await refusalOf(response)
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) onText(text)
}

/** Cuts text into what `separator` ends. */
const cut = (separator: string, onPart: (part: string) => void): ((text: string) => void) => {
  let rest = ""
  return (text) => {
    const parts = (rest + text).split(separator)
    rest = parts.pop() ?? ""
    for (const part of parts) onPart(part)
  }
}

const isSent = (value: { readonly event: string; readonly data: unknown }): value is Sent =>
  ["history", "report", "mount"].includes(value.event) && typeof value.data === "object" && value.data !== null

/** The daemon's server-sent events, until the signal; fails when they end. */
export const listen = async (
  mount: string | undefined,
  signal: AbortSignal,
  hear: (sent: Sent) => void
): Promise<void> => {
  const query = mount === undefined ? "" : `?mount=${encodeURIComponent(mount)}`
  await stream(
    `events${query}`,
    signal,
    cut("\n\n", (block) => {
      const [, event = "", data = "null"] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      const sent = { event, data: JSON.parse(data) as unknown }
      if (isSent(sent)) hear(sent)
    })
  )
  throw new Error("the daemon ended the events")
}

/** The calls of a mount that `chosen` asks for, a JSON line each; fails when they end. */
export const calls = async (
  name: string,
  chosen: URLSearchParams,
  signal: AbortSignal,
  onLine: (line: string) => void
): Promise<void> => {
  await stream(`mounts/${encodeURIComponent(name)}/calls?${chosen}`, signal, cut("\n", onLine))
  throw new Error("the daemon ended the calls")
}
