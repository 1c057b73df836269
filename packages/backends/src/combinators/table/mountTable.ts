/** Several backends under one root. */
import { type OperationName, operationNames, operations as operationTable } from "@bickford/protocol"
import type { Backend, BackendConnection } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyOperation } from "../operations.ts"
import { capabilitiesOf, interruptibleOf } from "./capabilities.ts"
import { list } from "./listing.ts"
import { answerHere } from "./ownNames.ts"
import { makePlaces, rootId } from "./places.ts"
import { notifyIn } from "./translation.ts"

/**
 * A backend out of several, by the path where each is: `{ "/": one, "/other": another }`. Folders on the way
 * to a backend are the table's own; they hide what the backend above has under that name. Names of mounts
 * can be neither taken nor taken away (EEXIST, EBUSY), and nothing is renamed or linked from one backend to
 * another (EXDEV). Throws a TypeError for paths that make no sense.
 */
export const mountTable = (mounts: { readonly [path: string]: Backend }): Backend => {
  const places = makePlaces(mounts)
  const { ask, backends, durable, locate, outerIn } = places

  const route: AnyOperation = (request, context) => {
    if (request.op === "readdir" || request.op === "readdirplus") return list(places, request, context)
    const location = locate(request.nodeid)
    const here = answerHere(places, request, location, context)
    if (here !== undefined) return here
    const { inner, space } = location
    switch (request.op) {
      case "rename":
        return ask(space, { ...request, nodeid: inner, newdir: locate(request.newdir).inner }, context)
      case "link":
        return ask(space, { ...request, nodeid: inner, oldnodeid: locate(request.oldnodeid).inner }, context)
      case "copyFileRange":
        return ask(space, { ...request, nodeid: inner, nodeidOut: locate(request.nodeidOut).inner }, context)
      default:
        return ask(space, { ...request, nodeid: inner }, context)
    }
  }

  // The table's own folders have these, whatever the backends have.
  const own: ReadonlyArray<OperationName> = ["lookup", "getattr", "opendir", "readdir", "releasedir", "statfs"]
  const routed: { [name: string]: AnyOperation } = {}
  for (const name of operationNames) {
    // What the kernel does without is there for all backends or for none.
    const having = places.having(name)
    if (
      own.includes(name) ||
      (operationTable[name].kernelDoesWithout ? having === backends.length && having > 0 : having > 0)
    )
      routed[name] = route
  }
  const runs = backends.flatMap(({ run }) => (run === undefined ? [] : [run]))
  const commits = backends.flatMap(({ commit }) => (commit === undefined ? [] : [commit]))

  return {
    ...routed,
    capabilities: capabilitiesOf(backends),
    interruptible: interruptibleOf(backends),
    durable,
    ...(runs.length > 0 && { run: Effect.raceAllFirst(runs) }),
    ...(durable && commits.length > 0 && { commit: Effect.asVoid(Effect.all(commits)) }),
    init: (negotiated, connection: BackendConnection) =>
      Effect.asVoid(
        Effect.forEach(
          backends,
          (backend, index) =>
            backend.init?.(negotiated, { ...connection, notify: notifyIn(connection.notify, outerIn(index + 1)) }) ??
            Effect.void
        )
      ),
    destroy: () =>
      Effect.flatMap(
        Effect.forEach(backends, (backend) => Effect.exit(Effect.suspend(() => backend.destroy?.() ?? Effect.void))),
        (exits) => exits.find(Exit.isFailure) ?? Effect.void
      ),
    delivered: (uniques) => {
      for (const backend of backends) backend.delivered?.(uniques)
    },
    forget: (nodeid, nlookup, left) => {
      const { inner, space } = locate(nodeid)
      // A backend has never told of its own root.
      if (inner !== rootId) backends[space - 1]?.forget?.(inner, nlookup, left)
    }
  }
}
