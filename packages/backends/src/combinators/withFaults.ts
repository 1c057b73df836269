/** Faults on purpose, for tests of what a program does about them. */
import type { ErrnoName, Request } from "@bickford/protocol"
import { type AsyncBackend, type Backend, errnoErrorNamed } from "@bickford/session"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { mapAnswer, mapOperations } from "./operations.ts"
import { makePathTracker } from "./pathTracker.ts"
import { seededRandom } from "./seededRandom.ts"

/** When a fault strikes, and what it is. Of several the first that strikes wins. */
export interface Fault {
  /** Default: every operation. */
  readonly operations?: ReadonlyArray<Request["op"]>
  /** Of the file, as far as it is known, from the mount's root: `/folder/file`. Both of a rename or link. Default: any. */
  readonly path?: string | RegExp
  /** Of the request; default: any. */
  readonly when?: (request: Request) => boolean
  /** From 0 to 1, the default. */
  readonly probability?: number
  /** How often it strikes at most. Default: without end. */
  readonly times?: number
  readonly fault:
    /** The operation fails, before it does anything. */
    | { readonly errno: ErrnoName }
    /** The operation is done later. */
    | { readonly delay: Duration.Input }
    /** The operation throws. */
    | { readonly crash: string }
    /** The backend fails as a whole, and is started again; the operation is never done. */
    | { readonly down: string }
    /** The operation never ends. */
    | "hang"
}

/** Which faults `withFaults` injects, and how often. */
export interface FaultOptions {
  /** With the same seed the same requests meet the same faults. Default: another one each time. */
  readonly seed?: number
}

const isAt = (path: string | RegExp, found: ReadonlyArray<string>): boolean =>
  found.some((one) => (typeof path === "string" ? path === one : one.search(path) >= 0))

/** `backend`, with faults. */
export const withFaults = (
  backend: AsyncBackend,
  faults: ReadonlyArray<Fault>,
  options: FaultOptions = {}
): Backend => {
  const random = options.seed === undefined ? Math.random : seededRandom(options.seed)
  const tracker = faults.some(({ path }) => path !== undefined) ? makePathTracker() : undefined
  const left = faults.map(({ times }) => times ?? Number.POSITIVE_INFINITY)
  let fail: ((message: string) => void) | undefined

  const strikes = ({ operations, path, probability, when }: Fault, index: number, request: Request): boolean =>
    (left[index] ?? 0) > 0 &&
    (operations === undefined || operations.includes(request.op)) &&
    (path === undefined || (tracker !== undefined && isAt(path, tracker.pathsOf(request)))) &&
    (when === undefined || when(request)) &&
    (probability === undefined || random() < probability)

  const faulty = mapOperations(backend, (_name, operation) => (request, context) => {
    const run = (): Effect.Effect<unknown, unknown> => {
      const answer = operation(request, context)
      return tracker === undefined ? answer : mapAnswer(answer, (value) => tracker.learn(request, value))
    }
    const index = faults.findIndex((one, at) => strikes(one, at, request))
    const struck = faults[index]
    if (struck === undefined) return run()
    left[index] = (left[index] ?? 0) - 1
    const { fault } = struck
    if (fault === "hang") return Effect.never
    if ("errno" in fault) return Exit.fail(errnoErrorNamed(fault.errno))
    if ("crash" in fault) throw new Error(fault.crash)
    if ("down" in fault)
      return Effect.andThen(
        Effect.sync(() => fail?.(fault.down)),
        Effect.never
      )
    return Effect.andThen(Effect.sleep(fault.delay), Effect.suspend(run))
  })

  const downfall = Effect.callback<never>((resume) => {
    fail = (message) => resume(Effect.die(new Error(message)))
  })
  const { forget } = faulty
  return {
    ...faulty,
    // A fault can strike where a file is opened, too.
    capabilities: { ...backend.capabilities, noOpen: false, noOpendir: false },
    run: backend.run === undefined ? downfall : Effect.raceFirst(backend.run, downfall),
    ...(tracker && {
      forget: (nodeid, nlookup, left) => {
        if (!(left > 0)) tracker.forget(nodeid)
        forget?.(nodeid, nlookup, left)
      }
    })
  }
}
