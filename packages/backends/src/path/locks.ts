/**
 * Paths in use: while an operation on a path takes its time, no rename or removal changes that path under
 * it; and while a rename takes its time, nothing below is looked for under either name. Operations that
 * answer at once hold nothing. Only the callbacks that work on paths are held up, never reads and writes of
 * open files.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Outcome } from "./outcome.ts"
import type { PathNode } from "./node.ts"
import type { PathNodes } from "./nodes.ts"

/** What an operation needs. The names above a node that moves are among those that stay. */
export interface Claim {
  /** Nodes whose paths must stay as they are. */
  readonly stay: ReadonlyArray<PathNode>
  /** Nodes whose names the operation takes away or changes. */
  readonly move: ReadonlyArray<PathNode>
}

interface Held {
  readonly passed: ReadonlyArray<PathNode>
  readonly moved: ReadonlyArray<PathNode>
}

interface Waiting {
  readonly claim: () => Claim
  readonly grant: (held: Held) => void
}

export type PathLocks = ReturnType<typeof makePathLocks>

export const makePathLocks = (nodes: PathNodes) => {
  const waiting: Array<Waiting> = []
  /** Claims that hold something. */
  let holders = 0

  const resolve = ({ move, stay }: Claim): Held => ({ passed: stay.flatMap((node) => nodes.above(node)), moved: move })

  const isFree = ({ moved, passed }: Held): boolean =>
    passed.every((node) => !node.moving) && moved.every((node) => node.passing === 0 && !node.moving)

  const conflict = (one: Held, other: Held): boolean =>
    one.moved.some((node) => other.passed.includes(node) || other.moved.includes(node)) ||
    other.moved.some((node) => one.passed.includes(node))

  const take = (held: Held): void => {
    holders++
    for (const node of held.passed) node.passing++
    for (const node of held.moved) node.moving = true
  }

  /** Grants what is free, in turn: nobody overtakes a claim that is in its way. */
  const grant = (): void => {
    const ahead: Array<Held> = []
    for (const one of waiting.splice(0)) {
      const wanted = resolve(one.claim())
      if (isFree(wanted) && !ahead.some((other) => conflict(wanted, other))) {
        take(wanted)
        one.grant(wanted)
      } else {
        ahead.push(wanted)
        waiting.push(one)
      }
    }
  }

  const give = (held: Held): void => {
    holders--
    for (const node of held.passed) node.passing--
    for (const node of held.moved) node.moving = false
    grant()
  }

  /** Runs `body` when what it claims is free; what suspends holds it to the end. */
  return <A>(claim: () => Claim, body: () => Outcome<A>): Outcome<A> => {
    // Before the body runs: what it finishes at once may change names, though not those above what it claims.
    const claimed = claim()
    const wanted = holders === 0 ? undefined : resolve(claimed)
    if (wanted === undefined || (isFree(wanted) && !waiting.some((one) => conflict(wanted, resolve(one.claim()))))) {
      const result = body()
      if (Exit.isExit(result)) return result
      const held = wanted ?? resolve(claimed)
      take(held)
      return Effect.onExit(result, () => Effect.sync(() => give(held)))
    }
    return Effect.uninterruptibleMask((restore) => {
      let held: Held | undefined
      const granted = Effect.callback<Held>((resume) => {
        const one: Waiting = {
          claim,
          grant: (given) => {
            held = given
            resume(Effect.succeed(given))
          }
        }
        waiting.push(one)
        return Effect.sync(() => {
          const at = waiting.indexOf(one)
          if (at < 0) return
          waiting.splice(at, 1)
          grant()
        })
      })
      const settle = Effect.sync(() => {
        if (held !== undefined) give(held)
      })
      return Effect.onExit(restore(Effect.andThen(granted, Effect.suspend(body))), () => settle)
    })
  }
}
