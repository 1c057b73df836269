/** A store that other hosts serve as well: this host's session, what it hears, and what it sees to now and then. */
import type { U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Filesystem } from "../posix/filesystem.ts"
import type { Commits } from "./commits.ts"
import type { Database, DatabaseError } from "./database.ts"
import { makeLeaseRows } from "./leaseRows.ts"
import type { Leases } from "./leases.ts"
import type { NodeCache } from "./nodeCache.ts"
import type { Runner } from "./once.ts"
import { patiently } from "./patience.ts"
import { beatSession, fenceDeadSessions, type Session } from "./session.ts"

/** Of the time after which a session is dead: so long its host trusts what it has, by its own clock. */
const trustedPart = 0.8
/** Signs of life between two looks for files without a name that nobody holds. */
const beatsPerLook = 5

interface SharingParts {
  readonly database: Database
  readonly leases: Leases
  readonly grace: number
  /** Seconds without a sign of life after which a session is dead. */
  readonly deadAfter: number
  readonly commits: () => Pick<Commits, "fence" | "storeNow">
  readonly cache: () => Pick<NodeCache, "get" | "peek">
  readonly runner: () => Runner
  readonly filesystem: () => Filesystem
}

export const makeSharing = (parts: SharingParts) => {
  const { cache, commits, database, deadAfter, filesystem, grace, leases, runner } = parts
  let session: Session | undefined

  /** Asks the database whether the session is alive: trusted from the moment of asking, not of the answer. */
  const renew: Effect.Effect<void, DatabaseError> = Effect.suspend(() => {
    const of = session
    if (of === undefined) return Effect.void
    return Effect.map(
      patiently(async () => {
        const steady = performance.now()
        const wall = Date.now()
        return { isAlive: await beatSession(database, of), steady, wall }
      }, grace),
      ({ isAlive, steady, wall }) => {
        if (isAlive) leases.trust(steady, wall, trustedPart * deadAfter)
        else commits().fence()
      }
    )
  })

  /**
   * Removes a file without a name, unless a kernel holds it. One that another host's kernel may know is let go of, so that
   * the last of them finds that it is.
   */
  const collect = (ino: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      const isLeft = yield* runner().own(() => {
        const inode = cache().peek(ino)
        if (inode === undefined || inode.nlink > 0 || inode.known) return false
        filesystem().forget(ino)
        return !leases.rules.isOnlyOurs(ino)
      })
      yield* commits().storeNow
      if (isLeft) yield* Effect.promise(() => leases.letGo([ino]))
    }).pipe(Effect.ignore)

  const collectAll = Effect.suspend(() => {
    const rows = leases.rows()
    if (rows === undefined) return Effect.void
    return Effect.flatMap(
      Effect.tryPromise(() => rows.unheldOrphans()),
      (inos) => Effect.forEach(inos, collect, { discard: true })
    )
  })

  let beats = 0
  const tend = Effect.suspend(() => {
    if (session === undefined) return Effect.void
    const look = ++beats % beatsPerLook === 0 ? Effect.ignore(collectAll) : Effect.void
    return Effect.andThen(
      Effect.ignore(renew),
      Effect.andThen(
        Effect.promise(() => leases.tidy()),
        look
      )
    )
  })

  return {
    renew,
    fenceDead: (sessions: ReadonlyArray<number>): Promise<void> =>
      fenceDeadSessions(database, sessions).catch(() => {}),
    /** Begins with a session: it is trusted, and hears what others want, for the life of the scope. */
    begin: (of: Session): Effect.Effect<void, DatabaseError, Scope.Scope> =>
      Effect.gen(function* () {
        const rows = makeLeaseRows(database, of)
        const channel = yield* patiently(() => rows.channel(), grace)
        yield* Effect.acquireRelease(
          patiently(() => database.listen(channel, leases.recalled), grace),
          ({ stop }) => Effect.promise(stop)
        )
        leases.begin(rows, of.isResumed)
        session = of
        yield* renew
      }),
    /** The session is ended, or another server's. */
    end: (): void => {
      session = undefined
    },
    /** Shows signs of life, and tidies up; runs for ever. */
    run: Effect.repeat(tend, Schedule.spaced(Math.min(1000, 200 * deadAfter))),
    /** The kernel forgets a node. */
    forget: (nodeid: U64): void => {
      if (typeof nodeid !== "number") return
      leases.forget(nodeid)
      const inode = cache().get(nodeid)
      if (inode === undefined) return
      inode.known = false
      if (inode.nlink === 0) Effect.runFork(collect(nodeid))
    }
  }
}
