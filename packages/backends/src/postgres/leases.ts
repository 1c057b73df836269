/**
 * What several hosts may have in memory of one store. An inode is in a host's memory only under a lease that the database
 * keeps: to read, together with others, or to change, alone. Whoever wants what a lease of another host excludes tells that
 * host, which stores what it has changed, drops what it has in memory, and gives the lease up.
 */
import * as Effect from "effect/Effect"
import { performance } from "node:perf_hooks"
import { setTimeout as delay } from "node:timers/promises"
import type { Inode } from "../posix/inode.ts"
import type { LeaseRows, TakenLease } from "./leaseRows.ts"
import { RowFault } from "./rowFault.ts"

/** Milliseconds for which a lease is kept at least: what it was taken for is done by then. */
const keptFor = 10
/** Leases of inodes that are not in memory any more are given up when there are so many. */
const heldMax = 1 << 18

/** What the rules are asked to respect. */
export interface LeaseRules {
  /** Other hosts may serve the store as well. */
  readonly isShared: boolean
  /** What is in memory of an inode is about to be dropped: whoever wants it asks for it again. */
  readonly isLeaving: (ino: number) => boolean
  /** Throws a RowFault unless an inode may be changed. */
  readonly needChange: (ino: number) => void
  readonly mayChange: (ino: number) => boolean
  /** The inodes that may not be changed. */
  readonly lacking: (inodes: ReadonlyArray<Inode>) => ReadonlyArray<number>
  /** An inode was made here. */
  readonly made: (ino: number) => void
  /** No other host's kernel may know the inode. */
  readonly isOnlyOurs: (ino: number) => boolean
  /** Whether the kernel may know an inode that is loaded. */
  readonly isKnown: (ino: number) => boolean
  /** Nothing is in memory any more of an inode that the kernel may know. */
  readonly dropped: (ino: number) => void
  /** What is in memory may be told: nobody else can have taken the leases. */
  readonly isTrusted: () => boolean
}

/** One host serves the store: all is its own. */
export const alone: LeaseRules = {
  isShared: false,
  isLeaving: () => false,
  needChange: () => {},
  mayChange: () => true,
  lacking: () => [],
  made: () => {},
  isOnlyOurs: () => true,
  isKnown: () => true,
  dropped: () => {},
  isTrusted: () => true
}

interface Held {
  readonly exclusive: boolean
  readonly isOnlyOurs: boolean
  /** When it was granted, in milliseconds of `performance.now()`. */
  readonly since: number
}

interface LeaseParts {
  /** Stores all that was changed so far. */
  readonly flush: Effect.Effect<void, unknown>
  /** Drops what is in memory of an inode; whether the kernel may know it. */
  readonly drop: (ino: number) => boolean
  readonly isInMemory: (ino: number) => boolean
}

/** Takes what a recall says: numbers of inodes, each with `x` where the other host wants to change it, and `s` where not. */
const parseRecall = (payload: string): Map<number, boolean> => {
  const wanted = new Map<number, boolean>()
  for (const part of payload.split(",")) {
    const ino = Number(part.slice(0, -1))
    if (Number.isSafeInteger(ino)) wanted.set(ino, part.endsWith("x"))
  }
  return wanted
}

const unset = <A>(): A | undefined => undefined

/** What is known of the leases of this host. */
const newState = () => ({
  held: new Map<number, Held>(),
  /** Leases that are being given up, each with what ends then. */
  leaving: new Map<number, Promise<void>>(),
  /** Leases that are wanted elsewhere, and kept for a moment. */
  recalled: new Set<number>(),
  /** When leases were given up last, in the order of `clock`: what was asked for before says nothing about now. */
  leftAt: new Map<number, number>(),
  clock: 0,
  /** As if of all others. */
  leftBefore: 0,
  /** Nodes that this host's kernel may know, and of which nothing is in memory. */
  told: new Set<number>(),
  /** Nodes that the kernel has forgotten since their leases were given up. */
  forgotten: new Set<number>(),
  /** An earlier server of the mount may have told the kernel of any. */
  isResumed: false,
  rows: unset<LeaseRows>(),
  /** Until when what is in memory is trusted, by both clocks: one of them stands still while the machine sleeps. */
  trusted: { steady: 0, wall: 0 }
})
type State = ReturnType<typeof newState>

const rulesOf = (state: State): LeaseRules => {
  const { held, leaving, told } = state
  const mayChange = (ino: number): boolean => held.get(ino)?.exclusive === true && !leaving.has(ino)
  return {
    isShared: true,
    isLeaving: (ino) => leaving.size > 0 && leaving.has(ino),
    mayChange,
    needChange: (ino) => {
      if (!mayChange(ino)) throw new RowFault({ kind: "change", inos: [ino] })
    },
    lacking: (inodes) => inodes.filter(({ ino }) => !mayChange(ino)).map(({ ino }) => ino),
    made: (ino) => void held.set(ino, { exclusive: true, isOnlyOurs: true, since: 0 }),
    isOnlyOurs: (ino) => held.get(ino)?.isOnlyOurs === true,
    isKnown: (ino) => state.isResumed || told.has(ino),
    dropped: (ino) => void told.add(ino),
    isTrusted: () => performance.now() < state.trusted.steady && Date.now() < state.trusted.wall
  }
}

/** Makes what gives leases up: those that others want to change are gone then, those that they want to read are kept to read. */
const makeGiveUp = (state: State, { drop, flush }: LeaseParts) => {
  const { held, leaving, leftAt, told } = state

  /** Drops what is in memory, of those that are not kept to read. */
  const part = (inos: ReadonlyArray<number>, wanted: ReadonlyMap<number, boolean>) => {
    const kept: Array<number> = []
    const given: Array<{ readonly ino: number; readonly isKnown: boolean }> = []
    for (const ino of inos) {
      const lease = held.get(ino)
      if (lease?.exclusive === true && wanted.get(ino) === false) {
        held.set(ino, { ...lease, exclusive: false })
        kept.push(ino)
        continue
      }
      const isKnown = drop(ino) || told.has(ino) || state.isResumed
      if (isKnown) told.add(ino)
      held.delete(ino)
      given.push({ ino, isKnown })
    }
    return { kept, given }
  }

  return async (wanted: ReadonlyMap<number, boolean>): Promise<void> => {
    const { rows } = state
    const inos = [...wanted.keys()].filter((ino) => !leaving.has(ino))
    if (rows === undefined || inos.length === 0) return
    let left = (): void => {}
    const end = new Promise<void>((resolve) => (left = resolve))
    for (const ino of inos) {
      leaving.set(ino, end)
      leftAt.set(ino, ++state.clock)
    }
    // What could not be stored is not in memory any more.
    await Effect.runPromise(Effect.exit(flush))
    const { given, kept } = part(inos, wanted)
    // A lease that cannot be given up now is asked for again.
    if (kept.length > 0) await rows.downgrade(kept).catch(() => {})
    if (given.length > 0) await rows.release(given).catch(() => {})
    for (const ino of inos) leaving.delete(ino)
    left()
  }
}

/** Gives up what others want, as soon as it was kept for long enough. Whoever waits for it tells so again and again. */
const makeRecalled = (state: State, giveUp: ReturnType<typeof makeGiveUp>) => {
  const { held, leaving, recalled } = state
  return async (payload: string): Promise<void> => {
    const wanted = new Map([...parseRecall(payload)].filter(([ino]) => !recalled.has(ino) && !leaving.has(ino)))
    let wait = 0
    for (const ino of wanted.keys()) {
      recalled.add(ino)
      wait = Math.max(wait, (held.get(ino)?.since ?? 0) + keptFor - performance.now())
    }
    if (wait > 0) await delay(wait)
    for (const ino of wanted.keys()) recalled.delete(ino)
    await giveUp(wanted)
  }
}

/** Tells the database what the kernel has forgotten, and gives up what memory has no room for. */
const makeTidy = (state: State, { isInMemory }: LeaseParts, giveUp: ReturnType<typeof makeGiveUp>) => {
  const { forgotten, held, leftAt } = state
  return async (): Promise<void> => {
    const { rows } = state
    if (rows === undefined) return
    if (forgotten.size > 0) {
      const inos = [...forgotten]
      forgotten.clear()
      await rows.forgotten(inos).catch(() => inos.forEach((ino) => forgotten.add(ino)))
    }
    if (held.size > heldMax) {
      const unused = [...held.keys()].filter((ino) => !isInMemory(ino))
      await giveUp(new Map(unused.map((ino) => [ino, true])))
    }
    if (leftAt.size <= heldMax) return
    leftAt.clear()
    state.leftBefore = state.clock
  }
}

export const makeLeases = (parts: LeaseParts) => {
  const state = newState()
  const { forgotten, held, leaving, leftAt, told } = state
  const giveUp = makeGiveUp(state, parts)
  const recalled = makeRecalled(state, giveUp)

  return {
    rules: rulesOf(state),
    rows: (): LeaseRows | undefined => state.rows,
    /** Begins with a session that holds nothing yet, or what an earlier server of the mount has held. */
    begin: (rows: LeaseRows, isResumed: boolean): void => {
      state.rows = rows
      state.isResumed = isResumed
    },
    /** The session was alive, by the database's word, at a moment that both clocks told; it is trusted for so many seconds. */
    trust: (steady: number, wall: number, seconds: number): void => {
      state.trusted = { steady: steady + 1000 * seconds, wall: wall + 1000 * seconds }
    },
    /** Other hosts want what is held here. */
    recalled: (payload: string): void => void recalled(payload),
    /** The order of what is asked for now among what is given up. */
    tick: (): number => ++state.clock,
    /** Waits until what is being given up of these is given up. */
    left: (inos: Iterable<number>): Promise<unknown> =>
      Promise.all([...inos].map((ino) => leaving.get(ino)).filter((one) => one !== undefined)),
    /** Takes what was granted to what was asked for at `asked`; returns the inodes that are held by it. */
    granted: (taken: ReadonlyArray<TakenLease>, asked: number): ReadonlySet<number> => {
      const now = new Set<number>()
      for (const { ino, isExclusive, isGranted, isOnlyOurs } of taken) {
        if (!isGranted || (leftAt.get(ino) ?? state.leftBefore) > asked) continue
        now.add(ino)
        const before = held.get(ino)
        if (before?.exclusive === isExclusive && before.isOnlyOurs === isOnlyOurs) continue
        held.set(ino, { exclusive: isExclusive, isOnlyOurs, since: performance.now() })
      }
      return now
    },
    /** The kernel forgets a node. */
    forget: (ino: number): void => {
      if (told.delete(ino) && !held.has(ino)) forgotten.add(ino)
    },
    /** Gives leases up that nobody else has asked for. */
    letGo: (inos: ReadonlyArray<number>): Promise<void> => giveUp(new Map(inos.map((ino) => [ino, true]))),
    tidy: makeTidy(state, parts, giveUp)
  }
}

export type Leases = ReturnType<typeof makeLeases>
