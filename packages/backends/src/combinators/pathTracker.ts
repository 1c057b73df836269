/** The paths of nodes, learnt from the requests and replies that go by. */
import {
  type Created,
  type DirentPlus,
  type Entry,
  type Name,
  operations,
  type Request,
  type U64
} from "@bickford/protocol"
import { RENAME_EXCHANGE } from "../posix/linux.ts"
import { nameText } from "../path/node.ts"

interface Place {
  readonly parent: U64
  readonly name: string
}

const rootId = 1
const keyOf = ({ name, parent }: Place): string => `${parent}/${name}`

/** The node that a reply tells of, where it tells of one. */
const nodeidIn = (request: Request, value: unknown): U64 | undefined => {
  // The table pairs each operation with its kind of reply.
  switch (operations[request.op].reply) {
    case "found":
    case "entry":
      return (value as Entry).nodeid
    case "created":
      return (value as Created).entry.nodeid
    default:
      return undefined
  }
}

export const makePathTracker = () => {
  /** The name that a node was last seen under. */
  const places = new Map<U64, Place>()
  const nodes = new Map<string, U64>()

  const leave = (place: Place): U64 | undefined => {
    const key = keyOf(place)
    const nodeid = nodes.get(key)
    if (nodeid === undefined) return undefined
    nodes.delete(key)
    const known = places.get(nodeid)
    if (known !== undefined && keyOf(known) === key) places.delete(nodeid)
    return nodeid
  }

  const enter = (nodeid: U64 | undefined, parent: U64, name: Name): void => {
    if (nodeid === undefined || nodeid === 0) return
    const place = { parent, name: nameText(name) }
    leave(place)
    places.set(nodeid, place)
    nodes.set(keyOf(place), nodeid)
  }

  const pathOf = (nodeid: U64): string | undefined => {
    let path = ""
    // No path is longer than what is known of nodes.
    for (let at = nodeid, left = places.size; at !== rootId; left--) {
      const place = places.get(at)
      if (place === undefined || left < 0) return undefined
      path = `/${place.name}${path}`
      at = place.parent
    }
    return path === "" ? "/" : path
  }

  const pathIn = (parent: U64, name: Name): string | undefined => {
    const above = pathOf(parent)
    if (above === undefined) return undefined
    return above === "/" ? `/${nameText(name)}` : `${above}/${nameText(name)}`
  }

  function* entered(parent: U64, entries: Iterable<DirentPlus>): Generator<DirentPlus, void, undefined> {
    for (const entry of entries) {
      enter(entry.entry?.nodeid, parent, entry.name)
      yield entry
    }
  }

  return {
    forget: (nodeid: U64): void => {
      const place = places.get(nodeid)
      if (place !== undefined) leave(place)
      places.delete(nodeid)
    },

    /** What a request is about: the path of its node or name, and the new one of a rename or link; none where nobody knows. */
    pathsOf: (request: Request): ReadonlyArray<string> => {
      const paths = [
        "name" in request && operations[request.op].takesName
          ? pathIn(request.nodeid, request.name)
          : pathOf(request.op === "link" ? request.oldnodeid : request.nodeid)
      ]
      if (request.op === "rename") paths.push(pathIn(request.newdir, request.newname))
      if (request.op === "link") paths.push(pathIn(request.nodeid, request.newname))
      return paths.filter((path) => path !== undefined)
    },

    /** Takes note of a reply; gives what is to be replied. */
    learn: (request: Request, value: unknown): unknown => {
      switch (request.op) {
        case "link":
          // Its new name is in `nodeid`.
          enter(nodeidIn(request, value), request.nodeid, request.newname)
          break
        case "readdirplus":
          return entered(request.nodeid, value as Iterable<DirentPlus>)
        case "unlink":
        case "rmdir":
          leave({ parent: request.nodeid, name: nameText(request.name) })
          break
        case "rename": {
          const moved = leave({ parent: request.nodeid, name: nameText(request.name) })
          const other = leave({ parent: request.newdir, name: nameText(request.newname) })
          enter(moved, request.newdir, request.newname)
          if (request.flags === RENAME_EXCHANGE) enter(other, request.nodeid, request.name)
          break
        }
        default:
          if ("name" in request && operations[request.op].takesName)
            enter(nodeidIn(request, value), request.nodeid, request.name)
      }
      return value
    }
  }
}
