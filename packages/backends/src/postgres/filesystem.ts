/** Puts the parts of a store together: what is in memory of it, how it is loaded, and how changes are stored. */
import type { BackendConnection } from "@bickford/session"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { makeAtimes } from "../posix/atime.ts"
import { systemClock, timespec } from "../posix/clock.ts"
import type { Filesystem } from "../posix/filesystem.ts"
import { permissionBits, S_IFDIR } from "../posix/linux.ts"
import { blockSize, makeUsage } from "../posix/usage.ts"
import type { HashKey } from "../sqlite/names.ts"
import { makeReplies } from "../sqlite/replies.ts"
import { makeChunkCache } from "./chunkCache.ts"
import { type Commits, makeCommits } from "./commits.ts"
import { type Database, type Statement, whole } from "./database.ts"
import { makeJournal } from "./journal.ts"
import { makeIds, makeLoader } from "./loader.ts"
import { makeLoads } from "./loads.ts"
import { makeNodeCache, type NodeCache } from "./nodeCache.ts"
import { makeNodes } from "./nodes.ts"
import { alone, type Leases, makeLeases } from "./leases.ts"
import { makeRunner, type Runner } from "./once.ts"
import type { PostgresOptions } from "./options.ts"
import { patiently } from "./patience.ts"
import { rootId } from "./schema.ts"
import { deadAfterSeconds, type Session } from "./session.ts"
import { makeSharedLoader } from "./sharedLoader.ts"
import { makeSharing } from "./sharing.ts"
import { makeStoredFilesystem } from "./storedFilesystem.ts"
import { makeTimes } from "./times.ts"
import type { UnitParts } from "./units.ts"

/** What a store can hold where nobody says: the server does not tell what its disk has. */
const capacityDefault = 2 ** 50

const usedByUsers: Statement = {
  name: "usedByUsers",
  text: "SELECT uid, sum(blocks) / 8, count(*) FROM inode GROUP BY uid"
}

/** A store whose tables are there. */
export interface OpenStore {
  readonly database: Database
  readonly key: HashKey
  /** Names the store among those of other servers, databases and schemas. */
  readonly name: string
}

const graceDefault = 30

const limitsOf = ({ capacity = capacityDefault, maxInodes = 2 ** 32 - 1, userQuota }: PostgresOptions) => ({
  capacity,
  maxInodes,
  userQuota
})

/** Unless it is told to, the kernel keeps nothing that another host may change. */
const timeoutsOf = ({ attrTimeout, entryTimeout, manyHosts }: PostgresOptions) => {
  const unlessGiven = manyHosts === true ? 0 : 1
  return { entryValid: timespec(entryTimeout ?? unlessGiven), attrValid: timespec(attrTimeout ?? unlessGiven) }
}

interface LoadingParts extends Omit<Parameters<typeof makeLoader>[0], "cache"> {
  readonly opened: OpenStore
  readonly options: PostgresOptions
  /** Undefined where one mount has the store. */
  readonly leases: Leases | undefined
  readonly cache: NodeCache
  readonly commits: () => Commits
  readonly runner: () => Runner
  readonly filesystem: () => Filesystem
}

/** How what is missing is loaded: under leases, where other hosts serve the store as well. */
const makeLoading = (parts: LoadingParts) => {
  const { cache, commits, grace, leases, opened, options } = parts
  const { database, key } = opened
  const plain = makeLoader(parts)
  if (leases === undefined) return { load: plain, sharing: undefined }
  const { filesystem, runner } = parts
  const deadAfter = options.deadAfter ?? deadAfterSeconds
  const sharing = makeSharing({
    database,
    leases,
    grace,
    deadAfter,
    commits,
    cache: () => cache,
    runner,
    filesystem
  })
  const fenced = (): void => void commits().fence()
  return { load: makeSharedLoader({ ...parts, ...sharing, database, key, leases, plain, fenced }), sharing }
}

/** The parts of a store that are in memory, and how they are loaded and stored. */
const makeParts = (opened: OpenStore, options: PostgresOptions, { fenced, log }: Pick<UnitParts, "fenced" | "log">) => {
  const { database, key } = opened
  const times = makeTimes(options.clock ?? systemClock())
  const { now } = times
  const grace = options.grace ?? graceDefault
  const atimes = makeAtimes(now)
  const answers = makeReplies()
  const usage = makeUsage(limitsOf(options))
  const journal = makeJournal()
  const chunks = makeChunkCache()
  const leases =
    options.manyHosts === true
      ? makeLeases({
          flush: Effect.suspend(() => commits.storeNow),
          drop: (ino) => cache.drop(ino),
          isInMemory: (ino) => cache.get(ino) !== undefined
        })
      : undefined
  const rules = leases?.rules ?? alone
  const cache = makeNodeCache(chunks, rules)
  let listsInodes = false
  let generation = 0

  const trim = (): void => {
    if (!commits.isSending() && cache.trim(commits.unit())) generation++
  }
  const dropAll = (): void => {
    generation++
    cache.clear()
  }
  const commits = makeCommits({ database, answers, usage, grace, log, fenced, stored: trim, dropAll })
  const ids = makeIds(() => void Effect.runFork(Effect.ignore(load({ kind: "ids" }))))
  const newId = ids.next
  const nodes = makeNodes({
    key,
    ...timeoutsOf(options),
    usage,
    cache,
    chunks,
    journal,
    newId,
    unit: commits.unit,
    leases: rules,
    listsInodes: () => listsInodes
  })
  const loads = makeLoads(database.run, key, nodes.settings)
  const { load, sharing } = makeLoading({
    opened,
    options,
    leases,
    ids,
    loads,
    cache,
    grace,
    generation: () => generation,
    loaded: trim,
    commits: () => commits,
    runner: () => runner,
    filesystem: () => filesystem
  })
  const runner = makeRunner({ commits, journal, answers, load, log, times, leases: rules })
  const filesystem = makeStoredFilesystem({
    now,
    newId,
    usage,
    atimes,
    cache,
    nodes,
    journal,
    unit: commits.unit,
    leases: rules
  })
  return {
    now,
    grace,
    atimes,
    answers,
    usage,
    cache,
    commits,
    nodes,
    loads,
    load,
    runner,
    filesystem,
    sharing,
    /** Has a listing show attributes, or not, while `body` runs. */
    listing: <A>(withInodes: boolean, body: () => A): A => {
      listsInodes = withInodes
      try {
        return body()
      } finally {
        listsInodes = false
      }
    }
  }
}

type Parts = ReturnType<typeof makeParts>

/** Removes files that have no name and that nobody holds; after an earlier server of the mount the kernel may hold some. */
const collectOrphans = Effect.fnUntraced(function* (parts: Parts, connection: BackendConnection, isResumed: boolean) {
  const { answers, cache, filesystem, grace, loads, runner } = parts
  const orphans = yield* patiently(loads.orphans, grace)
  cache.loaded(orphans)
  for (const { ino } of orphans) {
    const collect = runner.own(() => filesystem.forget(ino))
    // Its answer may be on the way to the kernel, which would not know it yet.
    if (isResumed && answers.names(ino)) continue
    yield* isResumed
      ? connection.notify.invalInode(ino, -1).pipe(
          Effect.catchTag("ENOENT", () => collect),
          // One that cannot be asked about stays, until another server asks.
          Effect.catch(() => Effect.void)
        )
      : collect
  }
})

export const makeFilesystem = (opened: OpenStore, options: PostgresOptions, log: (sentence: string) => void) => {
  const { database } = opened
  const lost = Deferred.makeUnsafe<void>()
  const fenced = (): void => {
    log("another server has taken the store over; nothing is changed here any more")
    Deferred.doneUnsafe(lost, Effect.void)
  }
  const parts = makeParts(opened, options, { fenced, log })
  const { answers, commits, filesystem, grace, load, nodes, now, runner, sharing, usage } = parts

  const countUsage = async ({ blocks, inodes, otherBlocks, otherInodes }: Session): Promise<void> => {
    if (options.userQuota === undefined) usage.charge(0, blocks + otherBlocks, inodes + otherInodes)
    else
      for (const [uid, used, count] of await database.run(usedByUsers, []))
        usage.charge(whole(uid), whole(used), whole(count))
  }
  const makeRoot = (): void => {
    const mode = S_IFDIR | ((options.mode ?? 0o755) & permissionBits)
    nodes.makeRoot(mode, options.uid ?? process.getuid?.() ?? 0, options.gid ?? process.getgid?.() ?? 0, now())
  }

  /** Makes the root, which another host may be about to make as well. */
  const makeFirst = Effect.gen(function* () {
    yield* load({ kind: "change", inos: [rootId] })
    yield* load({ kind: "inodes", inos: [rootId] })
    yield* runner.own(() => {
      if (parts.cache.peek(rootId) === undefined) makeRoot()
    })
  })

  return {
    filesystem,
    sharing,
    answers,
    commits,
    runner,
    atimes: parts.atimes,
    cache: parts.cache,
    listing: parts.listing,
    used: () => usage.total,
    limits: () => ({ blocks: usage.blocksMax, inodes: usage.maxInodes }),
    /** Ends when the session is no longer this process's. */
    lost: Deferred.await(lost),
    /** Begins to serve a connection, in a session of its own. */
    begin: Effect.fnUntraced(function* (session: Session, connection: BackendConnection) {
      yield* patiently(() => countUsage(session), grace)
      commits.begin(session)
      answers.adopt([session.answers])
      yield* load({ kind: "ids" })
      if (sharing !== undefined) yield* sharing.begin(session)
      if (usage.total.inodes === 0) yield* makeFirst
      yield* load({ kind: "inodes", inos: [rootId] })
      if (sharing === undefined) yield* collectOrphans(parts, connection, session.isResumed)
      commits.owe()
      yield* commits.commit
    }),
    bytesUsed: () => usage.total.blocks * blockSize
  }
}

export type StoredFilesystem = ReturnType<typeof makeFilesystem>
