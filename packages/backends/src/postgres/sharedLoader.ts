/**
 * Loads what is missing where several hosts serve the store: what is loaded of an inode is taken under a lease, in the same
 * round trip. The rows are read by a statement of their own after the one that takes the leases, whose snapshot therefore
 * has all that the holder before has stored.
 */
import * as Effect from "effect/Effect"
import { nameToBytes } from "@bickford/protocol"
import { firstCookie, type HashKey, lastCookie } from "../sqlite/names.ts"
import { type Database, DatabaseError, type Row, type RunStatement } from "./database.ts"
import { StoredDirectory } from "./directory.ts"
import type { LeaseRows, TakeRequest } from "./leaseRows.ts"
import { leasesOf } from "./leaseRows.ts"
import type { Leases } from "./leases.ts"
import type { Loader } from "./loader.ts"
import type { Loads } from "./loads.ts"
import type { NodeCache } from "./nodeCache.ts"
import { patiently } from "./patience.ts"
import type { Missing } from "./rowFault.ts"

/** Milliseconds between two attempts to have a lease: at first, and at the most. */
const waitFirst = 1
const waitMost = 20
/** Milliseconds after which holders are suspected to be dead. */
const suspectAfter = 1000

interface SharedLoaderParts {
  readonly database: Pick<Database, "pipeline">
  readonly key: HashKey
  readonly loads: Loads
  readonly leases: Leases
  readonly cache: Pick<NodeCache, "loaded" | "inMemory">
  /** Loads what needs no lease, or is of an inode that is held. */
  readonly plain: Loader
  readonly generation: () => number
  /** Seconds for which a server that is away, and a lease, are waited for. */
  readonly grace: number
  readonly loaded: () => void
  /** Asks the database whether the session is alive, and has the leases trusted if so. */
  readonly renew: Effect.Effect<void, DatabaseError>
  /** The session is no longer this process's. */
  readonly fenced: () => void
  /** Ends those of these sessions that have shown no sign of life for their time. */
  readonly fenceDead: (sessions: ReadonlyArray<number>) => Promise<void>
}

/** What one kind of missing rows needs: leases, of which some are what it is for, and rows. */
interface Plan {
  readonly take: TakeRequest
  readonly essential: ReadonlyArray<number>
  readonly select: ReadonlyArray<Parameters<RunStatement>>
  /** Takes the rows of what was granted. */
  readonly accept: (rows: ReadonlyArray<ReadonlyArray<Row>>, granted: ReadonlySet<number>) => void
}

const makePlans = ({ cache, key, loads }: SharedLoaderParts) => {
  const directoryOf = (ino: number): StoredDirectory | undefined => {
    const content = cache.inMemory(ino)?.inode?.content
    return content instanceof StoredDirectory ? content : undefined
  }
  const plan = (missing: Missing, of: LeaseRows): Plan | undefined => {
    switch (missing.kind) {
      case "change":
        return { take: of.byNumbers(missing.inos, true), essential: missing.inos, select: [], accept: () => {} }
      case "inodes": {
        const { inos } = missing
        return {
          take: of.byNumbers(inos, false),
          essential: inos,
          select: [loads.requests.inodes(inos)],
          accept: ([rows = []], granted) => {
            const found = loads.take.inodes(rows).filter(({ ino }) => granted.has(ino))
            cache.loaded(
              found,
              inos.filter((ino) => granted.has(ino))
            )
          }
        }
      }
      case "name": {
        const { name, parent } = missing
        const first = firstCookie(nameToBytes(name), key)
        return {
          take: of.byName(parent, first, lastCookie(first)),
          essential: [parent],
          select: [loads.requests.name(parent, name)],
          accept: ([rows = []], granted) => {
            if (!granted.has(parent)) return
            const { entries, inodes } = loads.take.name(rows)
            cache.loaded(
              inodes.filter(({ ino }) => granted.has(ino)),
              [parent]
            )
            directoryOf(parent)?.loadedName(name, entries)
          }
        }
      }
      case "page": {
        const { after, parent, withInodes } = missing
        return {
          take: withInodes ? of.byPage(parent, after) : of.byNumbers([parent], false),
          essential: [parent],
          select: [loads.requests.page(parent, after, withInodes)],
          accept: ([rows = []], granted) => {
            if (!granted.has(parent)) return
            const { entries, inodes, through } = loads.take.page(rows, withInodes)
            cache.loaded(inodes.filter(({ ino }) => granted.has(ino)))
            directoryOf(parent)?.loadedPage(after, through, entries)
          }
        }
      }
      default:
        return undefined
    }
  }
  return plan
}

const refused = (seconds: number): DatabaseError =>
  new DatabaseError({ message: `another host has not given a lease up for ${seconds} s`, code: "55P03" })

export const makeSharedLoader = (parts: SharedLoaderParts): Loader => {
  const { database, fenceDead, fenced, generation, grace, leases, loaded, plain, renew } = parts
  const plans = makePlans(parts)

  /** Asks once; what is still lacking, and who has it. Undefined: the session is another's. */
  const ask = Effect.fnUntraced(function* ({ accept, essential, select, take }: Plan) {
    yield* Effect.promise(() => leases.left(essential))
    const asked = leases.tick()
    const before = generation()
    const [taken = [], ...rows] = yield* patiently(
      () => database.pipeline([[take.statement, take.parameters], ...select]),
      grace
    )
    const found = leasesOf(taken)
    if (found.length === 0) return undefined
    const granted = leases.granted(found, asked)
    if (before === generation()) {
      accept(rows, granted)
      loaded()
    }
    const lacking = new Set(essential.filter((ino) => !granted.has(ino)))
    return { lacking, holders: found.flatMap(({ holders, ino }) => (lacking.has(ino) ? holders : [])) }
  })

  const fetch = Effect.fnUntraced(function* (plan: Plan) {
    const began = performance.now()
    for (let wait = waitFirst; ; wait = Math.min(2 * wait, waitMost)) {
      const outcome = yield* ask(plan)
      if (outcome === undefined) return fenced()
      if (outcome.lacking.size === 0) return
      const waited = performance.now() - began
      if (waited > 1000 * grace) return yield* Effect.fail(refused(grace))
      if (waited > suspectAfter) yield* Effect.promise(() => fenceDead(outcome.holders))
      yield* Effect.sleep(wait)
    }
  })

  return (missing) => {
    if (missing.kind === "trust") return renew
    const rows = leases.rows()
    const plan = rows === undefined ? undefined : plans(missing, rows)
    return plan === undefined ? plain(missing) : fetch(plan)
  }
}
