/**
 * Random lives of a served connection: requests, whole and broken, in any order, against a filesystem.
 *
 * What must hold, whatever comes: each request that expects a reply gets exactly one, FORGET and its like none;
 * no operation throws; the session's tables are sound; every answer comes; and the filesystem serves on afterwards.
 */
import type { Request, U64 } from "@bickford/protocol"
import { decodeReply, isDecodeError, type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import { brokenInvariants, FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as fc from "fast-check"
import { patienceMilliseconds } from "../patience.ts"
import { fuzzed, type FuzzedName } from "./places.ts"
import { aimed, frameOfStep, type Step, steps } from "./steps.ts"

const headerSize = 40
/** Replies that may be owed before they are awaited: the socket holds that many requests. */
const mostOwed = 8

interface Sent {
  readonly request: Request
  readonly frame: Uint8Array
  readonly row: OpcodeRow | undefined
  /** 0 or 1; undefined where the frame has no header to reply to. */
  readonly expected: 0 | 1 | undefined
}

const rowOfFrame = (frame: Uint8Array): OpcodeRow | undefined =>
  frame.length < 8 ? undefined : opcodeTable[new DataView(frame.buffer, frame.byteOffset).getUint32(4, true)]

const describeFrame = ({ frame, request, row }: Sent): string =>
  `${row?.name ?? "no opcode"}, made of ${request.op}: ${Buffer.from(frame.subarray(0, 200)).toString("hex")}`

/** One life; gives what did not hold. */
const live = Effect.fnUntraced(function* (name: FuzzedName, life: ReadonlyArray<Step>) {
  const wrong: Array<string> = []
  const source = yield* fuzzed[name]
  const { kernel, session } = yield* FakeKernel.serve(source)
  yield* kernel.init()

  const sent = new Map<U64, Sent>()
  const replies = new Map<U64, number>()
  const known: { readonly nodes: Array<U64>; readonly handles: Array<U64>; uniques: Array<U64> } = {
    nodes: [1, 1],
    handles: [],
    uniques: []
  }
  const isOwed = (unique: U64): boolean => sent.get(unique)?.expected === 1 && !replies.has(unique)
  let seen = 0

  const learn = (request: Request, frame: Uint8Array): void => {
    const reply = decodeReply(frame, request)
    const value: unknown = isDecodeError(reply) ? undefined : reply.value
    if (value === undefined || value === null || typeof value !== "object") return
    const entry = "entry" in value && typeof value.entry === "object" ? value.entry : value
    const open = "open" in value && typeof value.open === "object" ? value.open : value
    if (
      entry !== null &&
      entry !== undefined &&
      "nodeid" in entry &&
      typeof entry.nodeid === "number" &&
      entry.nodeid !== 0
    )
      known.nodes.push(entry.nodeid)
    if (open !== null && open !== undefined && "fh" in open && typeof open.fh === "number") known.handles.push(open.fh)
  }
  /** Notes the replies that came since it last looked. */
  const take = (): void => {
    for (const { frame } of kernel.unexpected().slice(seen)) {
      seen++
      const raw = new DataView(frame.buffer, frame.byteOffset).getBigUint64(8, true)
      const unique = raw <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(raw) : raw
      const count = (replies.get(unique) ?? 0) + 1
      replies.set(unique, count)
      const to = sent.get(unique)
      if (to?.expected === 0 || count > 1)
        wrong.push(`${count} replies to ${to === undefined ? unique : describeFrame(to)}`)
      else if (to !== undefined && to.frame.length >= headerSize) learn(to.request, frame)
    }
    known.uniques = known.uniques.filter(isOwed)
  }
  const owing = (later: boolean): ReadonlyArray<U64> =>
    known.uniques.filter((unique) => isOwed(unique) && (later || sent.get(unique)?.row?.op !== "setlkw"))
  const awaitOwed = (later: boolean) =>
    Effect.repeat(Effect.andThen(Effect.sleep(0), Effect.sync(take)), {
      until: () => owing(later).length === 0 || wrong.length > 0
    }).pipe(
      Effect.timeoutOrElse({
        duration: patienceMilliseconds / 4,
        orElse: () =>
          Effect.sync(
            () =>
              void wrong.push(
                ...owing(later)
                  .flatMap((unique) => sent.get(unique) ?? [])
                  .map((to) => `no reply to ${describeFrame(to)}`)
              )
          )
      })
    )

  let unique = 1000
  for (const step of life) {
    unique += 2
    const request = aimed(step, known, unique)
    const frame = frameOfStep(step, request)
    if (frame === undefined) continue
    const row = rowOfFrame(frame)
    const expected = frame.length < headerSize ? undefined : row === undefined || row.hasReply ? 1 : 0
    sent.set(unique, { request, frame, row, expected })
    known.uniques.push(unique)
    yield* kernel.sendRaw(frame)
    if (step.waits || owing(true).length >= mostOwed) yield* awaitOwed(false)
    // Locks that nobody gives up may not keep the others waiting for ever.
    if (owing(true).length >= mostOwed) for (const each of owing(true)) yield* kernel.interrupt(each)
    if (wrong.length > 0) return wrong
  }
  for (const each of owing(true)) yield* kernel.interrupt(each)
  yield* awaitOwed(true)

  yield* kernel.call({ op: "getattr", nodeid: 1, getattrFlags: 0, fh: 0 }).pipe(
    Effect.catch((error) =>
      Effect.sync(() => void wrong.push(`afterwards the root's attributes are refused: ${error._tag} ${error.message}`))
    ),
    Effect.timeoutOrElse({
      duration: patienceMilliseconds / 4,
      orElse: () => Effect.sync(() => void wrong.push("afterwards nothing is answered"))
    })
  )
  take()
  wrong.push(...brokenInvariants(session.connection, []))
  if (session.connection.counters.defects > 0)
    wrong.push(`${session.connection.counters.defects} operations threw, or answered nonsense`)
  return wrong
})

export interface SessionFuzz {
  readonly seed: number
  readonly lives: number
  /** Frames of a life, at most. */
  readonly frames: number
}

/** Throws with the shortest life that breaks what must hold. */
export const fuzzSession = async (name: FuzzedName, { frames, lives, seed }: SessionFuzz): Promise<void> => {
  const said: Array<string> = []
  const logger = Logger.make(({ message }) => void said.push(String(message)))
  const property = fc.asyncProperty(steps(frames), async (life) => {
    said.length = 0
    const wrong = await Effect.runPromise(live(name, life).pipe(Effect.scoped, Effect.provide(Logger.layer([logger]))))
    if (wrong.length > 0) throw new Error(`${name}: ${wrong.join("\n")}\n${said.slice(-5).join("\n")}`)
  })
  await fc.assert(property, { seed, numRuns: lives, verbose: 0, endOnFailure: false })
}
