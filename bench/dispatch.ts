/**
 * Nanoseconds of JavaScript per request, from a frame in a slot to the reply's bytes: the dispatcher, the codec and
 * the memory filesystem, on a transport that reads and writes nothing.
 * Run: `node --conditions=development bench/dispatch.ts [--rounds N]`
 */
import { memory } from "@bickford/backends"
import type { FrameTransport, Slot } from "@bickford/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { makeConnection, setBackend } from "../packages/session/src/connection/Connection.ts"
import { type Dispatcher, makeDispatcher } from "../packages/session/src/dispatcher/Dispatcher.ts"
import { protocolVersion } from "@bickford/protocol"
import type { Request, RequestHeader } from "@bickford/protocol"
import { encodeRequest, isEncodeError } from "@bickford/protocol/codec"

const frameCapacity = 1 << 17
const bodyCapacity = 1 << 16
const outHeader = 16

const bytes = new Uint8Array(frameCapacity + outHeader + bodyCapacity)
const slot = {
  bytes,
  view: new DataView(bytes.buffer),
  words: new Uint32Array(bytes.buffer),
  header: 0,
  args: 40,
  payload: 40,
  end: 0,
  body: frameCapacity + outHeader,
  bodyCapacity
}
let error = 0

const reply = (_slot: Slot, code: number): number => {
  error = code
  return 0
}

/** As the device's: a small body is copied into the slot. */
const replyData = (to: Slot, views: ReadonlyArray<Uint8Array>): number => {
  let at = to.body
  for (const view of views) {
    to.bytes.set(view, at)
    at += view.length
  }
  return reply(to, 0)
}

const unused = (): never => {
  throw new Error("nothing suspends here")
}

const transport: FrameTransport = {
  frameCapacity,
  reply,
  replyData,
  freeSlots: () => 7,
  release: () => {},
  flush: () => {},
  takePayload: (from, offset, size) => from.bytes.slice(offset, offset + size),
  run: unused,
  receive: unused,
  replyParts: unused,
  detach: unused,
  replyDetached: unused,
  replyPartsDetached: unused,
  notify: unused,
  notifyNow: unused,
  openBacking: unused,
  closeBacking: unused,
  lendMemory: unused,
  spliceReplies: unused,
  close: Effect.void
}

type Input<R> = R extends RequestHeader ? Omit<R, keyof RequestHeader> & Partial<RequestHeader> : never

const prepare = (input: Input<Request>): Uint8Array => {
  const request = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1, ...input } as Request
  const frame = encodeRequest(request, { minor: protocolVersion.minor, setxattrExt: true })
  if (isEncodeError(frame)) throw new Error(frame.message)
  return frame
}

const send = (dispatcher: Dispatcher, frame: Uint8Array): void => {
  slot.bytes.set(frame)
  slot.end = frame.length
  dispatcher.onFrame(slot)
}

/** Makes a file in the root, and gives its node id. */
const makeFile = (dispatcher: Dispatcher, name: string): number => {
  send(dispatcher, prepare({ ...create, name }))
  if (error !== 0) throw new Error(`CREATE failed with ${error}`)
  return slot.view.getUint32(slot.body, true)
}

const makeServer = (): Dispatcher => {
  const connection = makeConnection(transport)
  const backend = memory({ attrTimeout: 0, entryTimeout: 0 })
  setBackend(connection, backend)
  const fail = (message: unknown): never => {
    throw new Error(String(message))
  }
  const diagnostics = {
    malformed: fail,
    defect: fail,
    refused: (_name: string, _nodeid: unknown, reason: string) => fail(reason),
    rejected: fail,
    threw: fail
  }
  return makeDispatcher(connection, backend, Context.empty(), diagnostics, () => undefined, {})
}

const open = { flags: 0, openFlags: 0 }
const create = { op: "create", flags: 0xc1, mode: 0o100644, umask: 0, openFlags: 0 } as const
const dispatcher = makeServer()
for (let i = 0; i < 64; i++) makeFile(dispatcher, `f${i}`)
const file = makeFile(dispatcher, "data")
const page = { fh: 0, size: 4096, lockOwner: 0, flags: 0 }
const write = { ...page, op: "write", nodeid: file, writeFlags: 0, data: new Uint8Array(4096).fill(1) } as const
for (let i = 0; i < 32; i++) send(dispatcher, prepare({ ...write, offset: i * 4096 }))

const inputs: ReadonlyArray<readonly [string, ReadonlyArray<Input<Request>>]> = [
  [
    "LOOKUP",
    [
      { op: "lookup", name: "f12" },
      { op: "forget", nodeid: 14, nlookup: 1 }
    ]
  ],
  ["LOOKUP, missing", [{ op: "lookup", name: "m123456" }]],
  ["GETATTR", [{ op: "getattr", nodeid: file, getattrFlags: 0, fh: 0 }]],
  [
    "OPEN, RELEASE",
    [
      { op: "open", nodeid: file, ...open },
      { op: "release", nodeid: file, fh: 0, flags: 0, releaseFlags: 0, lockOwner: 0 }
    ]
  ],
  [
    "CREATE, UNLINK, ...",
    [
      { ...create, name: "c" },
      { op: "release", nodeid: file + 1, fh: 0, flags: 0, releaseFlags: 0, lockOwner: 0 },
      { op: "unlink", name: "c" },
      { op: "forget", nodeid: file + 1, nlookup: 1 }
    ]
  ],
  ["READ 4 KiB", [{ ...page, op: "read", nodeid: file, offset: 8192, readFlags: 0 }]],
  ["WRITE 4 KiB", [{ ...write, offset: 8192 }]]
]
const cases = inputs.map(([name, requests]) => ({ name, frames: requests.map(prepare) }))

const flag = process.argv.indexOf("--rounds")
const rounds = flag < 0 ? 300_000 : Number(process.argv[flag + 1])

/** Frames of a batch share a reading of the clock, as on a device; then the event loop has its turn. */
const turn = 64
const timed = async (frames: ReadonlyArray<Uint8Array>, count: number): Promise<number> => {
  let spent = 0n
  for (let done = 0; done < count; done += turn) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < turn; i++) for (const frame of frames) send(dispatcher, frame)
    dispatcher.onBatchEnd()
    spent += process.hrtime.bigint() - start
    await undefined
  }
  return Number(spent) / count
}

// All of them first, mixed: a filesystem's call sites see every opcode.
for (let round = 0; round < 300; round++) for (const { frames } of cases) await timed(frames, turn)

console.log(`${"requests".padEnd(22)}${"ns".padStart(8)}`)
for (const { frames, name } of cases) {
  let best = Number.POSITIVE_INFINITY
  // The least of many short turns: what others do to the machine meanwhile does not count.
  for (let round = 0; round < 50; round++) best = Math.min(best, await timed(frames, rounds / 50))
  console.log(`${name.padEnd(22)}${best.toFixed(0).padStart(8)}`)
}
if (error > 0) process.exitCode = 1
