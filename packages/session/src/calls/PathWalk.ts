/** The kernel's resolution of paths: LOOKUP by LOOKUP, with symbolic links, and what it then holds. */
import type { Entry, Name, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { Errno, type ErrnoError } from "../errno.ts"
import type { Answered, Fault, KernelSide } from "./KernelSide.ts"
import { isDirectory, isLink, type Node, type Place, root } from "./Node.ts"
import { mayExecute, type Rules } from "./permissions.ts"

/** Symbolic links that one path may lead through (MAXSYMLINKS). */
const mostLinks = 40

const componentsOf = (path: string): Array<string> => path.split("/").filter((part) => part !== "" && part !== ".")

/** One call's walk over the tree, and the lookups that it holds. */
export class Walk<F extends Fault = never> {
  readonly #kernel: KernelSide<F>
  readonly #rules: Rules<F>
  readonly #held = new Map<U64, number>()

  constructor(kernel: KernelSide<F>, rules: Rules<F>) {
    this.#kernel = kernel
    this.#rules = rules
  }

  hold({ attr, nodeid }: Entry): Node {
    this.#held.set(nodeid, (this.#held.get(nodeid) ?? 0) + 1)
    return { nodeid, mode: attr.mode, attr }
  }

  /** Gives every lookup back, and waits until the server knows. */
  release(): Effect.Effect<void, F> {
    if (this.#held.size === 0) return Effect.void
    const forgets = Array.from(this.#held, ([nodeid, nlookup]) => ({ nodeid, nlookup }))
    this.#held.clear()
    return Effect.andThen(this.#kernel.batchForget(forgets), this.#kernel.settled)
  }

  /** One lookup of a node that `release` does not give back: the caller's from now on. */
  keep(nodeid: U64): void {
    const count = this.#held.get(nodeid) ?? 0
    if (count > 1) this.#held.set(nodeid, count - 1)
    else this.#held.delete(nodeid)
  }

  /** The node of a name, undefined when there is none. */
  lookup(parent: U64, name: string): Answered<Node | undefined, F> {
    return this.#kernel.call({ op: "lookup", nodeid: parent, name }).pipe(
      Effect.map((entry) => (entry.nodeid === 0 ? undefined : this.hold(entry))),
      Effect.catch((error) =>
        error._tag === "ENOENT" ? Effect.succeed(undefined) : Effect.fail<ErrnoError | F>(error)
      )
    )
  }

  /** Where a path ends. `follow`: a symbolic link there is followed too. */
  locate(path: string, follow: boolean): Answered<Place, F> {
    const { readlink } = this
    const rules = this.#rules
    const lookup = this.lookup.bind(this)
    return Effect.gen(function* () {
      if (!path.startsWith("/")) return yield* Errno.EINVAL
      const left = componentsOf(path)
      const above: Array<Node> = [root]
      let place: Place = { parent: root.nodeid, directory: root, name: ".", found: root }
      const names: Array<string> = []
      let links = 0
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const directory = above.at(-1) ?? root
        if (!isDirectory(directory)) return yield* Errno.ENOTDIR
        yield* rules.access(directory, mayExecute)
        if (name === "..") {
          if (above.length > 1) above.pop()
          names.pop()
          place = { parent: directory.nodeid, directory, name, found: above.at(-1) ?? root }
          continue
        }
        const found: Node | undefined = yield* lookup(directory.nodeid, name)
        place = { parent: directory.nodeid, directory, name, found }
        if (found === undefined) {
          if (left.length > 0) return yield* Errno.ENOENT
        } else if (isLink(found) && (follow || left.length > 0)) {
          if (++links > mostLinks) return yield* Errno.ELOOP
          const target = String(yield* readlink(found))
          if (target.startsWith("/")) above.length = 1
          names.length = above.length - 1
          left.unshift(...componentsOf(target))
          place = { parent: directory.nodeid, directory, name: ".", found: above.at(-1) ?? root }
        } else {
          above.push(found)
          names.push(name)
        }
      }
      return { ...place, path: `/${names.join("/")}` }
    })
  }

  readonly readlink = (node: Node): Answered<Name, F> => this.#kernel.call({ op: "readlink", nodeid: node.nodeid })

  /** The node at a path; ENOENT when there is none. */
  find(path: string, follow = true): Answered<Node, F> {
    return Effect.flatMap(this.locate(path, follow), ({ found }) =>
      found === undefined ? Errno.ENOENT : Effect.succeed(found)
    )
  }

  /** A path without symbolic links; ENOENT when there is nothing at its end. */
  resolve(path: string): Answered<string, F> {
    return Effect.flatMap(this.locate(path, true), (place) =>
      place.found === undefined ? Errno.ENOENT : Effect.succeed(place.path ?? "/")
    )
  }

  /** A name that is free; EEXIST when it is not. */
  free(path: string): Answered<Place, F> {
    return Effect.flatMap(this.locate(path, false), (place) =>
      place.found === undefined ? Effect.succeed(place) : Errno.EEXIST
    )
  }
}
