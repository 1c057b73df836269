/** The kernel's resolution of paths, for tests: LOOKUP by LOOKUP, with symbolic links, and what it then holds. */
import { type Entry, type Name, statMode, type U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { Errno } from "../errno.ts"
import type { Answered, Failure, KernelSide } from "./kernelSide.ts"
import type { FakeKernelError } from "./kernelRequests.ts"

/** A node met on a path. */
export interface Node {
  readonly nodeid: U64
  readonly mode: number
}
/** A name in a directory, and the node that has it, if any. */
export interface Place {
  readonly parent: U64
  readonly name: string
  readonly found: Node | undefined
}

const { S_IFDIR, S_IFLNK, S_IFMT } = statMode
/** The mount's root. */
export const root: Node = { nodeid: 1, mode: S_IFDIR }
/** Symbolic links that one path may lead through (MAXSYMLINKS). */
const mostLinks = 40

/** Whether a node is a directory. */
export const isDirectory = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFDIR
/** Whether a node is a symbolic link. */
export const isLink = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFLNK

const componentsOf = (path: string): Array<string> => path.split("/").filter((part) => part !== "" && part !== ".")

/** One call's walk over the tree, and the lookups that it holds. */
export class Walk {
  readonly #kernel: KernelSide
  readonly #held = new Map<U64, number>()

  constructor(kernel: KernelSide) {
    this.#kernel = kernel
  }

  hold({ attr, nodeid }: Entry): Node {
    this.#held.set(nodeid, (this.#held.get(nodeid) ?? 0) + 1)
    return { nodeid, mode: attr.mode }
  }

  /** Gives every lookup back, and waits until the server knows. */
  release(): Effect.Effect<void, FakeKernelError> {
    if (this.#held.size === 0) return Effect.void
    return Effect.andThen(
      this.#kernel.batchForget(Array.from(this.#held, ([nodeid, nlookup]) => ({ nodeid, nlookup }))),
      this.#kernel.settled
    )
  }

  /** The node of a name, undefined when there is none. */
  lookup(parent: U64, name: string): Answered<Node | undefined> {
    return this.#kernel.call({ op: "lookup", nodeid: parent, name }).pipe(
      Effect.map((entry) => (entry.nodeid === 0 ? undefined : this.hold(entry))),
      Effect.catch((error) => (error._tag === "ENOENT" ? Effect.succeed(undefined) : Effect.fail<Failure>(error)))
    )
  }

  /** Where a path ends. `follow`: a symbolic link there is followed too. */
  locate(path: string, follow: boolean): Answered<Place> {
    const { readlink } = this
    const lookup = this.lookup.bind(this)
    return Effect.gen(function* () {
      if (!path.startsWith("/")) return yield* Errno.EINVAL
      const left = componentsOf(path)
      const above: Array<Node> = [root]
      let place: Place = { parent: root.nodeid, name: ".", found: root }
      let links = 0
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const directory = above.at(-1) ?? root
        if (!isDirectory(directory)) return yield* Errno.ENOTDIR
        if (name === "..") {
          if (above.length > 1) above.pop()
          place = { parent: directory.nodeid, name, found: above.at(-1) ?? root }
          continue
        }
        const found: Node | undefined = yield* lookup(directory.nodeid, name)
        place = { parent: directory.nodeid, name, found }
        if (found === undefined) {
          if (left.length > 0) return yield* Errno.ENOENT
        } else if (isLink(found) && (follow || left.length > 0)) {
          if (++links > mostLinks) return yield* Errno.ELOOP
          const target = String(yield* readlink(found))
          if (target.startsWith("/")) above.length = 1
          left.unshift(...componentsOf(target))
          place = { parent: directory.nodeid, name: ".", found: above.at(-1) ?? root }
        } else above.push(found)
      }
      return place
    })
  }

  readonly readlink = (node: Node): Answered<Name> => this.#kernel.call({ op: "readlink", nodeid: node.nodeid })

  /** The node at a path; ENOENT when there is none. */
  find(path: string, follow = true): Answered<Node> {
    return Effect.flatMap(this.locate(path, follow), ({ found }) =>
      found === undefined ? Errno.ENOENT : Effect.succeed(found)
    )
  }

  /** A name that is free; EEXIST when it is not. */
  free(path: string): Answered<Place> {
    return Effect.flatMap(this.locate(path, false), (place) =>
      place.found === undefined ? Effect.succeed(place) : Errno.EEXIST
    )
  }
}
