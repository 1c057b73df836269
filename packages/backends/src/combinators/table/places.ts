/** Where nodes are: the table's own directories, and the backends at them. */
import { type OperationName, operationNames, type Request, type U64 } from "@bickford/protocol"
import { type Backend, type RequestContext, standInFor } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type AnyOperation, mapAnswer, operationOf } from "../operations.ts"
import { type Folder, makeFolders } from "./folders.ts"
import { type Answer, type StandIn, withoutEnosys } from "./lacking.ts"
import { makeNumbers, type Numbers } from "./numbers.ts"
import { translate } from "./translation.ts"

export const rootId = 1

/** In which backend a node is, which one there, and which of the table's directories it is, if any. */
export interface Location {
  /** 0 for the table itself. */
  readonly space: number
  readonly inner: U64
  readonly folder: Folder | undefined
}

/** The backends of a table under its numbers. */
export interface Places {
  readonly backends: ReadonlyArray<Backend>
  /** Every backend is durable. */
  readonly durable: boolean
  readonly numbers: Numbers
  readonly idOf: (folder: Folder) => U64
  readonly locate: (nodeid: U64) => Location
  /** The table's number of a node of a backend. */
  readonly outerIn: (space: number) => (inner: U64) => U64
  /** Asks a backend, in its own numbers. */
  readonly ask: (space: number, request: Request, context: RequestContext) => Answer
  /** What the table itself answers for what it lacks. */
  readonly lacking: StandIn
  /** How many backends have an operation. */
  readonly having: (operation: OperationName) => number
}

/** Takes a table's mounts apart. Throws a TypeError for paths that make no sense. */
export const makePlaces = (mounts: { readonly [path: string]: Backend }): Places => {
  const { backends, folders, root } = makeFolders(mounts)
  const numbers = makeNumbers(backends.length + 1)
  const rootOf = new Map(folders.filter(({ space }) => space !== 0).map((folder) => [folder.space, folder]))
  const durable = backends.length > 0 && backends.every((backend) => backend.durable === true)
  const operations = backends.map(
    (backend) =>
      new Map<OperationName, AnyOperation | undefined>(operationNames.map((name) => [name, operationOf(backend, name)]))
  )
  const standIns = operations.map((of) => standInFor((name) => of.get(name) !== undefined))
  const lacking = standInFor(() => false)

  /** The node id of a folder of the table. */
  const idOf = (folder: Folder): U64 => {
    if (folder === root) return rootId
    return (folder.space === 0 ? numbers.outer(0, folder.index) : numbers.outer(folder.space, rootId)) ?? 0
  }

  /** Where a node is: in which backend, there which, and which of the table's folders it is. */
  const locate = (nodeid: U64): Location => {
    if (nodeid === rootId) return { space: root.space, inner: rootId, folder: root }
    const space = numbers.spaceOf(nodeid)
    const inner = numbers.inner(nodeid)
    if (space === 0) return { space, inner, folder: folders[Number(inner)] }
    return { space, inner, folder: inner === rootId ? rootOf.get(space) : undefined }
  }

  const outerIn =
    (space: number) =>
    (inner: U64): U64 => {
      const folder = inner === rootId ? rootOf.get(space) : undefined
      // A node id of 0 is refused before the kernel sees it.
      return folder === undefined ? (numbers.outer(space, inner) ?? 0) : idOf(folder)
    }

  const ask = (space: number, request: Request, context: RequestContext): Answer => {
    const backend = backends[space - 1]
    const operation = operations[space - 1]?.get(request.op)
    const standIn = standIns[space - 1] ?? lacking
    if (backend === undefined || operation === undefined) return standIn(request)
    const answer = withoutEnosys(
      request,
      mapAnswer(operation(request, context), (value) => translate(numbers, space, outerIn(space), request, value)),
      standIn
    )
    const { commit, delivered } = backend
    if (durable || backend.durable !== true || commit === undefined) return answer
    // In company of backends that are not durable nothing is run again: each answer is committed by itself.
    return Effect.flatMap(Effect.exit(answer), (exit) =>
      Effect.flatMap(commit, () => {
        delivered?.([context.unique])
        return exit
      })
    )
  }

  return {
    backends,
    durable,
    numbers,
    idOf,
    locate,
    outerIn,
    ask,
    lacking,
    having: (name) => operations.filter((of) => of.get(name) !== undefined).length
  }
}
