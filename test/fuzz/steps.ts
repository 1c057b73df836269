/** What the fuzzed session is sent: well-formed requests, requests that were broken on the way, and noise. */
import type { Request, U64 } from "@bickford/protocol"
import { encodeRequest, isEncodeError } from "@bickford/protocol/codec"
import * as fc from "fast-check"
import { requests } from "../../packages/protocol/test/arbitraries.ts"

/** Where a request's numbers and names are put, so that most of them mean something: counters into what is known. */
export interface Aim {
  readonly node: number
  readonly other: number
  readonly handle: number
  readonly name: number
  readonly newName: number
  /** Sizes and offsets are small, or as they were drawn. */
  readonly small: boolean
  readonly asRoot: boolean
}

/** A change to a frame, as a faulty transport or a hostile peer would make it. */
export type Damage =
  | { readonly damage: "none" }
  | { readonly damage: "cut"; readonly at: number; readonly honest: boolean }
  | { readonly damage: "grow"; readonly by: Uint8Array; readonly honest: boolean }
  | { readonly damage: "flip"; readonly at: number; readonly bit: number }
  | { readonly damage: "number"; readonly at: number; readonly value: number }
  | { readonly damage: "opcode"; readonly value: number }
  | { readonly damage: "length"; readonly value: number }

export interface Step {
  readonly request: Request
  readonly aim: Aim
  readonly damage: Damage
  /** Awaits all that is owed before the next step. */
  readonly waits: boolean
}

/** What has been learned of the served filesystem. */
export interface Known {
  readonly nodes: ReadonlyArray<U64>
  readonly handles: ReadonlyArray<U64>
  readonly uniques: ReadonlyArray<U64>
}

const counter = fc.nat(1000)
const aim: fc.Arbitrary<Aim> = fc.record({
  node: counter,
  other: counter,
  handle: counter,
  name: counter,
  newName: counter,
  small: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  asRoot: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })
})

const position = fc.nat(4000)
const extremes = fc.constantFrom(0, 1, 39, 40, 0x7fffffff, 0x80000000, 0xffffffff)
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Damage>({ damage: "none" }) },
  fc.record({ damage: fc.constant("cut" as const), at: position, honest: fc.boolean() }),
  fc.record({
    damage: fc.constant("grow" as const),
    by: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    honest: fc.boolean()
  }),
  fc.record({ damage: fc.constant("flip" as const), at: position, bit: fc.nat(7) }),
  fc.record({ damage: fc.constant("number" as const), at: position, value: extremes }),
  fc.record({ damage: fc.constant("opcode" as const), value: fc.oneof(fc.nat(60), extremes) }),
  fc.record({ damage: fc.constant("length" as const), value: fc.oneof(fc.nat(300), extremes) })
)

/** Operations that make, open and change; without them nearly everything would be ENOENT. */
const fruitful = [
  "lookup",
  "create",
  "create",
  "mkdir",
  "open",
  "opendir",
  "write",
  "write",
  "read",
  "readdirplus",
  "symlink",
  "mknod",
  "link",
  "rename"
] as const

const request: fc.Arbitrary<Request> = fc.oneof(
  fc
    .constantFrom(...fruitful)
    .chain(
      (op) => requests[op] ?? fc.constant<Request>({ op: "readlink", unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1 })
    ),
  fc.oneof(...Object.values(requests))
)

export const steps = (most: number): fc.Arbitrary<ReadonlyArray<Step>> =>
  fc.array(fc.record({ request, aim, damage, waits: fc.boolean() }), { minLength: 1, maxLength: most, size: "max" })

const names = ["a", "b", "c", "d", "\u{1f40e}", "x".repeat(255)]

/** One of those that are known; now and then what was drawn, or 0. */
const pick = (known: ReadonlyArray<U64>, count: number, drawn: U64): U64 => {
  if (known.length === 0 || count % 12 === 11) return drawn
  if (count % 40 === 10) return 0
  return known[Math.floor(count / 12) % known.length] ?? drawn
}

/** Every field that `aimed` changes, however the operation names it. */
interface Fields {
  nodeid?: U64
  fh?: U64
  fhIn?: U64
  fhOut?: U64
  newdir?: U64
  oldnodeid?: U64
  nodeidOut?: U64
  target?: unknown
  name?: unknown
  newname?: unknown
  offset?: U64
  offIn?: U64
  offOut?: U64
  length?: U64
  len?: U64
  size?: U64
  mode?: number
  uid?: number
  gid?: number
  unique?: U64
}

const S_IFMT = 0o170000
const S_IFREG = 0o100000

/** The request with its fields put on what is known, and with a `unique` of its own. */
export const aimed = ({ aim, request }: Step, known: Known, unique: U64): Request => {
  const fields: Fields = { ...request, unique }
  fields.nodeid = pick(known.nodes, aim.node, fields.nodeid ?? 1)
  if (aim.asRoot) Object.assign(fields, { uid: 0, gid: 0 })
  for (const key of ["newdir", "oldnodeid", "nodeidOut"] as const)
    if (key in fields) fields[key] = pick(known.nodes, aim.other, fields[key] ?? 1)
  for (const key of ["fh", "fhIn", "fhOut"] as const)
    if (key in fields) fields[key] = pick(known.handles, aim.handle, fields[key] ?? 0)
  if (request.op === "interrupt") fields.target = pick(known.uniques, aim.other, request.target)
  if ("name" in fields && aim.name % 5 !== 0) fields.name = names[aim.name % names.length]
  if ("newname" in fields && aim.newName % 5 !== 0) fields.newname = names[aim.newName % names.length]
  if (aim.small) {
    for (const key of ["offset", "offIn", "offOut", "length", "len"] as const)
      if (key in fields) fields[key] = Number(BigInt(fields[key] ?? 0) % 100_000n)
    // What carries data says how much of it there is.
    if ("size" in fields && !("data" in request)) fields.size = Number(BigInt(fields.size ?? 0) % 100_000n)
  }
  // A device that is made is the machine's own, and a FIFO waits for another opener.
  if (request.op === "mknod" || request.op === "create") fields.mode = ((fields.mode ?? 0) & ~S_IFMT) | S_IFREG
  // The arbitrary of the operation gave all the fields it has, and only their values were changed.
  return fields as Request
}

const setLength = (frame: Uint8Array, length: number): Uint8Array => {
  if (frame.length >= 4) new DataView(frame.buffer, frame.byteOffset, frame.byteLength).setUint32(0, length, true)
  return frame
}

const uniqueAt = 8

/** A copy of the frame, damaged. Its `unique` stays: by it the reply is known. */
const damaged = (frame: Uint8Array, how: Damage): Uint8Array => {
  const whole = frame.slice()
  const view = new DataView(whole.buffer)
  switch (how.damage) {
    case "none":
      return whole
    case "cut": {
      const cut = whole.slice(0, Math.max(1, how.at % whole.length))
      return how.honest ? setLength(cut, cut.length) : cut
    }
    case "grow": {
      const grown = new Uint8Array([...whole, ...how.by])
      return how.honest ? setLength(grown, grown.length) : grown
    }
    case "flip": {
      const at = how.at % whole.length
      if (at < uniqueAt || at >= uniqueAt + 8) whole[at] = (whole[at] ?? 0) ^ (1 << how.bit)
      return whole
    }
    case "number": {
      const at = (how.at % (whole.length - 3)) & ~3
      if (at < uniqueAt || at >= uniqueAt + 8) view.setUint32(at, how.value, true)
      return whole
    }
    case "opcode":
      view.setUint32(4, how.value, true)
      return whole
    case "length":
      return setLength(whole, how.value)
  }
}

/** The frame of a step, or undefined where the request cannot be encoded. */
export const frameOfStep = (step: Step, request: Request): Uint8Array | undefined => {
  const frame = encodeRequest(request)
  return isEncodeError(frame) ? undefined : damaged(frame, step.damage)
}
