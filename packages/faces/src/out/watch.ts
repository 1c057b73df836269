/** `watch` of `node:fs/promises`: what the mount and the faces change, by path. */
import type { PathChange } from "@bickford/backends"
import { errnoErrorNamed } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type PathLike, pathOf } from "./arguments.ts"
import { aborted } from "./aborting.ts"
import { NodeError } from "./NodeError.ts"
import type { NodeCalls } from "./NodeCalls.ts"
import type { Shared } from "./share.ts"

/** As `node:fs/promises` has them. */
export interface WatchOptions {
  /** Also what changes in the directories below. Default: false. */
  readonly recursive?: boolean
  /** Ends it, with an AbortError. */
  readonly signal?: AbortSignal
  /** How `filename` is encoded. Default: as text. */
  readonly encoding?: BufferEncoding
  /** Nothing keeps the process alive, either way. */
  readonly persistent?: boolean
  /** How many events wait to be taken. Default: 2048. */
  readonly maxQueue?: number
  /** What becomes of more: they are left out, or the watching ends with an error. Default: `"ignore"`. */
  readonly overflow?: "ignore" | "throw"
}

/** As `node:fs/promises` has it. */
export interface WatchEvent {
  /** `"rename"`: something was made, removed or moved; `"change"`: its content or attributes are others. */
  readonly eventType: "rename" | "change"
  /** From the watched directory on; a watched file's own name. */
  readonly filename: string
}

const usualQueue = 2048

/** Where a change lies, seen from what is watched: below a directory, or a file's own name. Undefined: elsewhere. */
export const nameFrom = (watched: string, recursive: boolean, path: string): string | undefined => {
  if (path === watched) return path.slice(path.lastIndexOf("/") + 1)
  const above = watched === "/" ? "/" : `${watched}/`
  if (!path.startsWith(above)) return undefined
  const name = path.slice(above.length)
  return recursive || !name.includes("/") ? name : undefined
}

/** Events that wait for whoever takes them. */
class Queue {
  readonly #events: Array<WatchEvent> = []
  readonly #most: number
  readonly #throws: boolean
  #failure: Error | undefined
  #wake: () => void = () => {}

  constructor(most: number, throws: boolean) {
    this.#most = most
    this.#throws = throws
  }

  add(event: WatchEvent): void {
    if (this.#events.length < this.#most) this.#events.push(event)
    else if (this.#throws)
      this.fail(Object.assign(new Error("fs.watch queue overflow"), { code: "ERR_FS_WATCH_QUEUE_OVERFLOW" }))
    this.#wake()
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  /** The next event, once there is one. */
  async take(): Promise<WatchEvent> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const event = this.#events.shift()
      if (event !== undefined) return event
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** Watches a file or a directory until `signal` is aborted, or whoever takes the events returns. */
export async function* watchPath(
  { watch }: Shared,
  calls: NodeCalls,
  path: PathLike,
  { encoding, maxQueue = usualQueue, overflow = "ignore", recursive = false, signal }: WatchOptions = {}
): AsyncGenerator<WatchEvent, void, undefined> {
  if (watch === undefined) throw new NodeError(errnoErrorNamed("ENOSYS"), "watch", pathOf(path))
  if (signal?.aborted === true) throw aborted(signal)
  const queue = new Queue(maxQueue, overflow === "throw")
  // Watched from now on, though its name without links is not known yet.
  const before: Array<PathChange> = []
  let tell = (change: PathChange): void => void before.push(change)
  const end = watch((change) => tell(change))
  const stop = (): void => queue.fail(aborted(signal))
  signal?.addEventListener("abort", stop)
  try {
    const watched = await Effect.runPromise(calls.realpath(path))
    tell = ({ kind, path: changed }) => {
      const name = nameFrom(watched, recursive, changed)
      if (name === undefined) return
      const filename = encoding === undefined ? name : Buffer.from(name).toString(encoding)
      queue.add({ eventType: kind === "name" ? "rename" : "change", filename })
    }
    before.forEach(tell)
    for (;;) yield await queue.take()
  } finally {
    signal?.removeEventListener("abort", stop)
    end()
  }
}
