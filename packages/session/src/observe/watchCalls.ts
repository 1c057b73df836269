/** The calls of a live session, each when it was answered, with its path. */
import { errnoName, type Name, ownName, type Request, type U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
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
  /**
   * No condition: the share of the process's time, above 0 and up to 1, that looking at calls may take. Calls past it are not
   * looked at, but counted as missed; ten in a tenth of a second are looked at all the same. Without it every call is. Conditions on the operation and the process come
   * before it and cost nothing; with one on the error or the time, every call is looked at until its answer is known.
   */
  readonly share?: number
}

/** Is told of calls. */
export interface CallListener {
  /** A call that the filter lets through was answered. */
  readonly answered: (call: AnsweredCall) => void
  /** So many calls were wanted and too many for one second, or not looked at. */
  readonly missed: (count: number) => void
}

/** Calls of each second that a listener is told of. */
const perSecondMost = 2000

/** Milliseconds over which the share of the time is kept. */
const shareInterval = 100

/** Milliseconds that one call counts as at the most: what takes longer was a turn of another program, on a busy machine. */
const longestLook = 1

/** Calls of each interval that are looked at whatever time is left: of a mount that does little, nothing is to be missed. */
const anyhow = 10

/** Tells whether there is time left to look at a call; `looks` counts one, `spent` adds to what was used (milliseconds). */
interface TimeBudget {
  readonly isSpent: () => boolean
  readonly looks: () => void
  readonly spent: (milliseconds: number) => void
}

const unlimited: TimeBudget = { isSpent: () => false, looks: () => {}, spent: () => {} }

/**
 * Returns the milliseconds since it was last called that were this process's to spend: those that it ran for, and those that
 * its loop had nothing to do in. What it waited for a processor in is neither.
 */
const ownTime = (): (() => number) => {
  let loop = performance.eventLoopUtilization()
  let used = process.cpuUsage()
  return () => {
    const now = performance.eventLoopUtilization()
    const ran = process.cpuUsage(used)
    const idle = now.idle - loop.idle
    loop = now
    used = process.cpuUsage()
    return idle + (ran.user + ran.system) / 1000
  }
}

/** A share of the time, again and again while the scope lasts; `renewed` is called each time. */
const limitedTime = (share: number, renewed: () => void): Effect.Effect<TimeBudget, never, Scope.Scope> => {
  const since = ownTime()
  let most = share * shareInterval
  let used = 0
  let looked = 0
  const renew = (): void => {
    most = share * Math.min(shareInterval, since())
    // What was used too much is paid back, and what was left is not saved.
    used = Math.max(0, used - most)
    looked = 0
    renewed()
  }
  return Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => setInterval(renew, shareInterval)),
      (timer) => Effect.sync(() => clearInterval(timer))
    ),
    {
      isSpent: () => used >= most && looked >= anyhow,
      looks: () => {
        looked++
      },
      spent: (milliseconds) => {
        used += Math.min(milliseconds, longestLook)
      }
    }
  )
}

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
  /** Its names outlive the frame that they came in. */
  readonly request: Request
  /** Whether it may be told of; of others only the names are learnt. */
  readonly isWanted: boolean
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

/** Whether a change of names is known only if it is learnt. */
const changesNames = ({ op }: Request): boolean => op === "rename" || op === "unlink" || op === "rmdir"

/** What can be said of a call from its request's header. */
const startsWanted = ({ opcodes, pid }: CallFilter): ((row: OpcodeRow, request: Request) => boolean) => {
  const names = opcodes === undefined ? undefined : new Set(opcodes)
  return (row, request) => (names === undefined || names.has(row.name)) && (pid === undefined || pid === request.pid)
}

/** What can be said of it once it is answered. */
const endsWanted =
  ({ error, microseconds: least }: CallFilter) =>
  (errno: number, microseconds: number): boolean =>
    (error === undefined || (error === "any" ? errno !== 0 : errno !== 0 && errorText(errno) === error)) &&
    (least === undefined || microseconds >= least)

const isOnPath = (wanted: string | undefined, { newPath = "", path = "" }: Pick<AnsweredCall, "path" | "newPath">) =>
  wanted === undefined || path.includes(wanted) || newPath.includes(wanted)

/** Whether this second has room for one more call. */
const roomEachSecond = (): ((now: number) => boolean) => {
  let second = 0
  let told = 0
  return (now) => {
    if (now - second >= 1000) {
      second = now
      told = 0
    }
    return told++ < perSecondMost
  }
}

const recordOf = (
  row: OpcodeRow,
  request: Request,
  answer: Pick<AnsweredCall, "path" | "newPath" | "bytes" | "microseconds"> & { readonly errno: number }
): AnsweredCall => {
  const { errno, microseconds, ...rest } = answer
  return {
    at: new Date(Date.now() - microseconds / 1000).toISOString(),
    opcode: row.name,
    unique: String(request.unique),
    nodeid: String(request.nodeid),
    pid: request.pid,
    ...callerOf(request),
    arguments: argumentsOf(request),
    ...(errno === 0 ? {} : { error: errorText(errno) }),
    ...rest,
    microseconds
  }
}

/** Has `listener` told of calls of a connection while the scope lasts; of 2,000 in each second. */
export const watchCalls = (
  connection: Connection,
  filter: CallFilter,
  listener: CallListener
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const paths = new CallPaths((nodeid) => connection.backend?.pathOf?.(nodeid))
    const [isWantedToStart, isWantedToEnd, hasRoom] = [startsWanted(filter), endsWanted(filter), roomEachSecond()]
    const isDecidedLate = filter.error !== undefined || filter.microseconds !== undefined
    /** Whether nothing but the share decides which calls are looked at. */
    const passesAll = filter.opcodes === undefined && filter.pid === undefined && !isDecidedLate
    const began = new Map<U64, Begun>()
    let skipped = 0
    const budget =
      filter.share === undefined
        ? unlimited
        : yield* limitedTime(filter.share, () => {
            if (skipped > 0) listener.missed(skipped)
            skipped = 0
          })

    const tell = (row: OpcodeRow, errno: number, bytes: number, { clock, request }: Begun, now: number): void => {
      const microseconds = Math.round((now - clock) * 1000)
      if (!isWantedToEnd(errno, microseconds)) return
      const shown = shownPaths(paths.pathsOf(request))
      if (!isOnPath(filter.path, shown)) return
      if (!hasRoom(now)) return listener.missed(1)
      listener.answered(recordOf(row, request, { ...shown, bytes, errno, microseconds }))
    }

    /** Whether a request is looked at: to be told of, or for its names alone. */
    const look = (row: OpcodeRow, request: Request): "tell" | "learn" | "pass" => {
      const isWanted = isWantedToStart(row, request)
      if (isWanted && (isDecidedLate || !budget.isSpent())) return "tell"
      if (isWanted) skipped++
      return filter.share === undefined || changesNames(request) ? "learn" : "pass"
    }

    const forget = (request: Request): void => {
      if (request.op === "forget") paths.forget(request.nodeid)
      else if (request.op === "batchForget") for (const { nodeid } of request.forgets) paths.forget(nodeid)
    }

    yield* observe(connection, {
      received: (row, request) => {
        if (!row.hasReply) return forget(request)
        // Most calls of a busy mount end here.
        if (passesAll && budget.isSpent() && !changesNames(request)) {
          skipped++
          return
        }
        const how = look(row, request)
        if (how === "pass") return
        const clock = performance.now()
        budget.looks()
        began.set(request.unique, { clock, request: withOwnNames(request), isWanted: how === "tell" })
        budget.spent(performance.now() - clock)
      },
      replied: (row, request, errno, bytes, nodeid) => {
        if (began.size === 0) return
        const begun = began.get(request.unique)
        if (begun === undefined) return
        const at = performance.now()
        began.delete(request.unique)
        if (begun.isWanted) tell(row, errno, bytes, begun, at)
        if (errno === 0) paths.learn(begun.request, nodeid)
        budget.spent(performance.now() - at)
      }
    })
  })
