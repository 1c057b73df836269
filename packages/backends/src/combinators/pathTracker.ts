/** The paths of nodes, learnt from the requests and replies that go by. */
import { type Created, type DirentPlus, type Entry, operations, type Request, type U64 } from "@bickford/protocol"
import { CallPaths } from "@bickford/session"
import { nameText } from "../path/node.ts"

/** The node that a reply tells of; 0 where it tells of none. */
const nodeidIn = (request: Request, value: unknown): U64 => {
  // The table pairs each operation with its kind of reply.
  switch (operations[request.op].reply) {
    case "found":
    case "entry":
      return (value as Entry).nodeid
    case "created":
      return (value as Created).entry.nodeid
    default:
      return 0
  }
}

export const makePathTracker = () => {
  const known = new CallPaths()

  function* entered(parent: U64, entries: Iterable<DirentPlus>): Generator<DirentPlus, void, undefined> {
    for (const entry of entries) {
      known.enter(entry.entry?.nodeid ?? 0, parent, entry.name)
      yield entry
    }
  }

  return {
    forget: (nodeid: U64): void => known.forget(nodeid),

    /** What a request is about: the path of its node or name, and the new one of a rename or link; none where nobody knows. */
    pathsOf: (request: Request): ReadonlyArray<string> => known.pathsOf(request).map(nameText),

    /** Takes note of a reply; gives what is to be replied. */
    learn: (request: Request, value: unknown): unknown => {
      if (request.op === "readdirplus") return entered(request.nodeid, value as Iterable<DirentPlus>)
      known.learn(request, nodeidIn(request, value))
      return value
    }
  }
}
