/**
 * The paths of the nodes that requests are about: learnt from the requests and replies that go by, and asked of who knows
 * more where that is not enough.
 */
import {
  type Name,
  nameFromBytes,
  nameKey,
  nameToBytes,
  operations,
  ownName,
  type Request,
  type U64
} from "@bickford/protocol"

/** A name in a directory. */
interface Place {
  readonly parent: U64
  readonly name: Name
}

/** Knows a node's path within the mount, as `Backend.pathOf` does. */
export type PathSource = (nodeid: U64) => Name | undefined

/** Nodes that are remembered; a mount that has more begins anew. */
const rememberedMost = 100_000

/**
 * Microseconds of processor time in each second that may go to asking: a backend may have to look through its directories. On a busy
 * machine the clock would count other programs' turns too.
 */
const askingMost = 20_000

/** This process's, in microseconds. */
const processorTime = (): number => {
  const { system, user } = process.cpuUsage()
  return system + user
}

/** renameat2(2). */
const RENAME_EXCHANGE = 2

const keyOf = ({ name, parent }: Place): string => `${parent}/${nameKey(name)}`

const isRoot = (nodeid: U64): boolean => nodeid === 1 || nodeid === 1n

const joined = (above: Name, name: Name): Name => {
  const base = above === "/" ? "" : above
  if (typeof base === "string" && typeof name === "string") return `${base}/${name}`
  return nameFromBytes(Buffer.concat([nameToBytes(base), Buffer.from("/"), nameToBytes(name)]))
}

/** Whether a request's `name` is one in its node, a directory. */
const isNamed = (request: Request): request is Extract<Request, { readonly name: Name }> =>
  "name" in request && operations[request.op].takesName

/** Paths by node id. It is told of each reply (`learn`) and of each FORGET (`forget`). */
export class CallPaths {
  /** The name that a node was last seen under. */
  readonly #places = new Map<U64, Place>()
  readonly #nodes = new Map<string, U64>()
  /** What was asked for, until a rename may have changed it. */
  readonly #asked = new Map<U64, Name | undefined>()
  readonly #ask: PathSource | undefined
  #asking = 0
  #since = 0

  /** Asks `ask` of nodes that no reply told of, for at most 20 ms of processor time in each second. */
  constructor(ask?: PathSource) {
    this.#ask = ask
  }

  /**
   * Returns the path of the node or name that a request is about, then the new one of a rename or link; without those that
   * nobody knows. Before `learn` of its reply.
   */
  pathsOf(request: Request): ReadonlyArray<Name> {
    const paths = [
      isNamed(request)
        ? this.#pathIn(request.nodeid, request.name)
        : this.pathOf(request.op === "link" ? request.oldnodeid : request.nodeid)
    ]
    if (request.op === "rename") paths.push(this.#pathIn(request.newdir, request.newname))
    if (request.op === "link") paths.push(this.#pathIn(request.nodeid, request.newname))
    return paths.filter((path) => path !== undefined)
  }

  /** Returns a node's path within the mount; undefined where nobody knows it. */
  pathOf(nodeid: U64): Name | undefined {
    const names: Array<Name> = []
    let at = nodeid
    // No path is longer than what is known of nodes.
    for (let left = this.#places.size; !isRoot(at); left--) {
      const place = this.#places.get(at)
      if (place === undefined) break
      if (left < 0) return undefined
      names.push(place.name)
      at = place.parent
    }
    const above = isRoot(at) ? "/" : this.#askFor(at)
    return above === undefined ? undefined : names.reduceRight(joined, above)
  }

  /** Takes note of a request that was answered without an error; `found` is the node that the reply tells of, 0 for none. */
  learn(request: Request, found: U64): void {
    switch (request.op) {
      case "link":
        // Its new name is in `nodeid`.
        this.enter(found, request.nodeid, request.newname)
        break
      case "unlink":
      case "rmdir":
        this.#leave({ parent: request.nodeid, name: request.name })
        break
      case "rename": {
        const moved = this.#leave({ parent: request.nodeid, name: request.name })
        const other = this.#leave({ parent: request.newdir, name: request.newname })
        this.enter(moved ?? 0, request.newdir, request.newname)
        if (request.flags === RENAME_EXCHANGE) this.enter(other ?? 0, request.nodeid, request.name)
        this.#asked.clear()
        break
      }
      default:
        if (isNamed(request)) this.enter(found, request.nodeid, request.name)
    }
  }

  /** Takes note of a node's name, as a listing tells of one. A node of 0 is none. */
  enter(nodeid: U64, parent: U64, name: Name): void {
    if (nodeid === 0) return
    if (this.#places.size >= rememberedMost) this.#clear()
    const place = { parent, name: ownName(name) }
    this.#leave(place)
    this.#places.set(nodeid, place)
    this.#nodes.set(keyOf(place), nodeid)
  }

  /** The kernel has forgotten a node. */
  forget(nodeid: U64): void {
    const place = this.#places.get(nodeid)
    if (place !== undefined) this.#leave(place)
    this.#places.delete(nodeid)
    this.#asked.delete(nodeid)
  }

  #clear(): void {
    this.#places.clear()
    this.#nodes.clear()
    this.#asked.clear()
  }

  #leave(place: Place): U64 | undefined {
    const key = keyOf(place)
    const nodeid = this.#nodes.get(key)
    if (nodeid === undefined) return undefined
    this.#nodes.delete(key)
    const known = this.#places.get(nodeid)
    if (known !== undefined && keyOf(known) === key) this.#places.delete(nodeid)
    return nodeid
  }

  #pathIn(parent: U64, name: Name): Name | undefined {
    const above = this.pathOf(parent)
    return above === undefined ? undefined : joined(above, name)
  }

  #askFor(nodeid: U64): Name | undefined {
    if (this.#ask === undefined) return undefined
    if (this.#asked.has(nodeid)) return this.#asked.get(nodeid)
    const now = performance.now()
    if (now - this.#since >= 1000) {
      this.#since = now
      this.#asking = 0
    }
    if (this.#asking >= askingMost) return undefined
    const began = processorTime()
    const path = this.#ask(nodeid)
    this.#asking += processorTime() - began
    if (this.#asked.size >= rememberedMost) this.#asked.clear()
    this.#asked.set(nodeid, path)
    return path
  }
}
