/** The calls of a live session, each when it was answered, with its path. */
import { errnoName, type Name, ownName, type Request, type U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "../connection/Connection.ts"
import { CallPaths } from "./CallPaths.ts"
import { observe } from "./Observer.ts"
import { argumentsOf, callerOf, type Fields, shownName } from "./requestFields.ts"

/** A call that was answered. A name or path that is no UTF-8 is in Latin-1, behind `bytes:`. */
export interface AnsweredCall {
  /** When its request was read, in ISO 8601. */
  readonly at: string
  /** The kernel's name, as `LOOKUP`. */
  readonly opcode: string
  readonly unique: string
  readonly nodeid: string
  /** Within the mount, from `/` on; missing where nobody knows it. */
  readonly path?: string
  /** The other path of a rename or a link. */
  readonly newPath?: string
  readonly pid: number
  readonly uid?: number
  /** What the request holds besides; data by its number of bytes. */
  readonly arguments: Fields
  /** The errno's name; missing when it succeeded. */
  readonly error?: string
  /** Of the reply's body. */
  readonly bytes: number
  /** From the request's reading to its reply. */
  readonly microseconds: number
}

/** Which calls are wanted: those that all conditions are true of. */
export interface CallFilter {
  /** The kernel's names of opcodes. */
  readonly opcodes?: ReadonlyArray<string>
  /** A part of one of the paths, or of what stands for it. */
  readonly path?: string
  readonly pid?: number
  /** The errno's name; `any` for every error. */
  readonly error?: string
  /** The least time that it took. */
  readonly microseconds?: number
}

/** Is told of calls. */
export interface CallListener {
  /** A call that the filter lets through was answered. */
  readonly answered: (call: AnsweredCall) => void
  /** So many calls were wanted, and too many for one second. */
  readonly missed: (count: number) => void
}

/** Calls of each second that a listener is told of. */
const perSecondMost = 2000

/** The name of an errno, or its number. */
export const errorText = (errno: number): string => errnoName(errno) ?? String(errno)

/** The paths of a request as a record of it has them. */
export const shownPaths = (paths: ReadonlyArray<Name>): Pick<AnsweredCall, "path" | "newPath"> => {
  const [path, newPath] = paths
  return {
    ...(path === undefined ? {} : { path: String(shownName(path)) }),
    ...(newPath === undefined ? {} : { newPath: String(shownName(newPath)) })
  }
}

interface Begun {
  readonly clock: number
  readonly at: number
  /** Its names outlive the frame that they came in. */
  readonly request: Request
}

/** A name that is no UTF-8 is a view of its frame, which may be used again before the reply. */
const withOwnNames = (request: Request): Request => {
  const isView = ("name" in request && typeof request.name !== "string") || request.op === "rename"
  if (!isView && request.op !== "link") return request
  return {
    ...request,
    ...("name" in request ? { name: ownName(request.name) } : {}),
    ...("newname" in request ? { newname: ownName(request.newname) } : {})
  }
}

/** Has `listener` told of calls of a connection while the scope lasts; of 2,000 in each second. */
export const watchCalls = (
  connection: Connection,
  filter: CallFilter,
  listener: CallListener
): Effect.Effect<void, never, Scope.Scope> => {
  const paths = new CallPaths((nodeid) => connection.backend?.pathOf?.(nodeid))
  const opcodes = filter.opcodes === undefined ? undefined : new Set(filter.opcodes)
  const began = new Map<U64, Begun>()
  let second = 0
  let told = 0

  const isWanted = (row: OpcodeRow, { pid }: Request, errno: number, microseconds: number): boolean =>
    (opcodes === undefined || opcodes.has(row.name)) &&
    (filter.pid === undefined || filter.pid === pid) &&
    (filter.error === undefined ||
      (filter.error === "any" ? errno !== 0 : errno !== 0 && errorText(errno) === filter.error)) &&
    (filter.microseconds === undefined || microseconds >= filter.microseconds)

  const isOnPath = ({ newPath = "", path = "" }: Pick<AnsweredCall, "path" | "newPath">): boolean =>
    filter.path === undefined || path.includes(filter.path) || newPath.includes(filter.path)

  /** Whether this second has room for one more. */
  const hasRoom = (now: number): boolean => {
    if (now - second >= 1000) {
      second = now
      told = 0
    }
    return told++ < perSecondMost
  }

  const tell = (row: OpcodeRow, errno: number, bytes: number, { at, clock, request }: Begun): void => {
    const now = performance.now()
    const microseconds = Math.round((now - clock) * 1000)
    if (!isWanted(row, request, errno, microseconds)) return
    const shown = shownPaths(paths.pathsOf(request))
    if (!isOnPath(shown)) return
    if (!hasRoom(now)) return listener.missed(1)
    listener.answered({
      at: new Date(at).toISOString(),
      opcode: row.name,
      unique: String(request.unique),
      nodeid: String(request.nodeid),
      ...shown,
      pid: request.pid,
      ...callerOf(request),
      arguments: argumentsOf(request),
      ...(errno === 0 ? {} : { error: errorText(errno) }),
      bytes,
      microseconds
    })
  }

  return observe(connection, {
    received: (row, request) => {
      if (row.hasReply)
        began.set(request.unique, { clock: performance.now(), at: Date.now(), request: withOwnNames(request) })
      else if (request.op === "forget") paths.forget(request.nodeid)
      else if (request.op === "batchForget") for (const { nodeid } of request.forgets) paths.forget(nodeid)
    },
    replied: (row, request, errno, bytes, nodeid) => {
      const begun = began.get(request.unique)
      began.delete(request.unique)
      if (begun === undefined) return
      tell(row, errno, bytes, begun)
      if (errno === 0) paths.learn(begun.request, nodeid)
    }
  })
}
