/** Many random sequences on a plain folder and on a filesystem of ours. */
import { patienceMilliseconds } from "../patience.ts"
import { buildDriver, makeDrivers } from "../conformance/driver.ts"
import { type PlaceName, places } from "../conformance/places.ts"
import { isBeyond, isKnownAnswer, normalIn } from "./beyond.ts"
import { beginning, type Call, randomCall } from "./calls.ts"
import { describeDifference, findDifference, shrink } from "./differential.ts"
import { makeRandom } from "./random.ts"

export interface Plan {
  readonly place: PlaceName
  /** What it is compared with. Default: a plain folder. */
  readonly against?: PlaceName
  readonly calls: number
  readonly seed: number
  /** Calls of one sequence, which begins with an empty folder. */
  readonly length: number
}

/** Gives the counterexamples, shrunk; none is what one hopes for. */
export const runDifferential = async ({
  against = "plain",
  calls,
  length,
  place,
  seed
}: Plan): Promise<ReadonlyArray<string>> => {
  const program = await buildDriver()
  const found: Array<string> = []
  await places[against]((plain) =>
    places[place](async (other) => {
      const sides = {
        left: makeDrivers(program, plain.folder),
        right: makeDrivers(program, other.folder),
        normal: normalIn(against)
      }
      let alive = Date.now()
      const watchdog = setInterval(() => {
        if (Date.now() - alive > patienceMilliseconds) void other.release()
      }, 1000)
      try {
        for (let made = 0; made < calls && found.length < 5; made += length) {
          const random = makeRandom(seed + made)
          const next = (): Call => {
            for (;;) {
              const call = randomCall(random)
              if (!isBeyond(place, call.line) && !isBeyond(against, call.line)) return call
            }
          }
          const sequence: ReadonlyArray<Call> = [
            ...beginning,
            ...Array.from({ length: Math.min(length, calls - made) }, next)
          ]
          const difference = await findDifference(sides, sequence)
          alive = Date.now()
          if (difference === undefined || isKnownAnswer(place, difference.call.line, difference.right)) continue
          const [fewest, shown] = await shrink(sides, sequence, difference)
          found.push(`seed ${seed + made}:\n${describeDifference(fewest, shown)}`)
        }
      } finally {
        clearInterval(watchdog)
        sides.left.end()
        sides.right.end()
      }
    })
  )
  return found
}
