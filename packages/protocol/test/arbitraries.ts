/** Every message with every field at its extremes: the generated models, and what their fields owe each other. */
import * as fc from "fast-check"
import type * as M from "../src/messages.ts"
import { operations, type ReplyKind } from "../src/operations.ts"
import {
  attrReply,
  entry as anyEntry,
  initReply,
  ioctlIovec,
  requestModels,
  statfs,
  statxReply
} from "./generated/models.ts"
import { bytes, extensions, name, offset, path, s64, u32, u64 } from "./primitives.ts"

interface Model {
  readonly fields: { readonly [key: string]: fc.Arbitrary<unknown> }
  readonly sized: readonly [size: string, data: string] | undefined
  readonly extended: boolean
}

const lengthOf = (value: unknown): number => (value instanceof Uint8Array ? value.length : 0)

const of = (op: string, { extended, fields, sized }: Model): fc.Arbitrary<M.Request> => {
  const all = { op: fc.constant(op), unique: u64, nodeid: u64, uid: u32, gid: u32, pid: u32, ...fields }
  const optional = extended ? { extensions } : {}
  return fc.tuple(fc.record(all), fc.record(optional, { requiredKeys: [] })).map(([base, more]): M.Request => {
    const request: { readonly [key: string]: unknown } = { ...base, ...more }
    const size = sized === undefined ? {} : { [sized[0]]: lengthOf(request[sized[1]]) }
    // The generated model of each operation lists exactly its fields; the round trip would fail otherwise.
    return { ...request, ...size } as unknown as M.Request
  })
}

const modelled = Object.entries(requestModels).map(([op, model]) => [op, of(op, model)] as const)

export const requests: { readonly [op: string]: fc.Arbitrary<M.Request> } = {
  ...Object.fromEntries(modelled),
  init: of("init", requestModels.init).map((request) =>
    request.op === "init" && request.minor < 36 ? { ...request, flags2: 0 } : request
  )
}

const childId = u64.filter((nodeid) => nodeid !== 0 && nodeid !== 1)
const entry: fc.Arbitrary<M.Entry> = fc.tuple(anyEntry, childId).map(([drawn, nodeid]) => ({ ...drawn, nodeid }))
const open: fc.Arbitrary<M.Open> = fc.oneof(
  fc.record({ fh: u64, openFlags: u32.map((flags) => (flags & ~128) >>> 0) }),
  fc.record({ fh: u64, openFlags: u32, backingId: fc.integer({ min: 1, max: 0x7fffffff }) })
)
const created = fc.record({ entry, open })
const dirent = { ino: u64, off: u64, type: fc.integer({ min: 0, max: 15 }), name }
const range = fc.tuple(offset, offset).map(([a, b]) => (a <= b ? { start: a, end: b } : { start: b, end: a }))
const held: fc.Arbitrary<M.FileLock> = fc
  .tuple(range, fc.constantFrom(0, 1, 2), u32)
  .map(([ends, type, pid]) => ({ ...ends, type, pid }))
const iovecs = fc.array(ioctlIovec, { maxLength: 128 })

const nothing = (): fc.Arbitrary<unknown> => fc.constant(undefined)
const sizeOf = (request: M.Request): number => ("size" in request ? Number(request.size) : 0)
const listed = (request: M.Request, one: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  sizeOf(request) < 1024 * 32 ? fc.constant([]) : fc.array(one, { maxLength: 20 })

const ioctlReply = ({ flags, outSize }: M.IoctlRequest): fc.Arbitrary<unknown> => {
  if ((flags & 2) !== 0) return fc.record({ retry: fc.record({ inIovs: iovecs, outIovs: iovecs }) })
  const result = fc.integer()
  return outSize === 0
    ? fc.record({ result })
    : fc.record({ result, data: fc.uint8Array({ minLength: 1, maxLength: Math.min(300, outSize) }) })
}

const copied = ({ len, wide }: M.CopyFileRangeRequest): fc.Arbitrary<unknown> =>
  u64.map((count) => {
    const most = wide || len <= 0xffffffff ? len : 0xffffffff
    return count <= most ? count : most
  })

const replies = {
  none: nothing,
  nothing,
  found: () =>
    fc.oneof(
      entry,
      entry.map((found) => ({ ...found, nodeid: 0 }))
    ),
  entry: () => entry,
  attributes: () => attrReply,
  statx: () => statxReply,
  target: () => path,
  opened: () => open,
  created: () => created,
  data: (request) => bytes(Math.min(300, sizeOf(request))),
  written: (request) => fc.integer({ min: 0, max: sizeOf(request) }),
  usage: () => statfs,
  xattr: (request) => (sizeOf(request) === 0 ? fc.record({ size: u32 }) : bytes(Math.min(300, sizeOf(request)))),
  agreed: () => initReply.map((drawn) => ({ ...drawn, minor: 23 + (drawn.minor % 23) })),
  listing: (request) => listed(request, fc.record(dirent)),
  listingPlus: (request) => listed(request, fc.record({ ...dirent, entry: fc.option(entry, { nil: undefined }) })),
  lock: () => held,
  block: () => u64,
  ioctl: (request) => (request.op === "ioctl" ? ioctlReply(request) : nothing()),
  events: () => u32,
  position: () => offset,
  copied: (request) => (request.op === "copyFileRange" ? copied(request) : nothing())
} satisfies Record<ReplyKind, (request: M.Request) => fc.Arbitrary<unknown>>

/** A reply that the backend may give to `request`. */
export const replyTo = (request: M.Request): fc.Arbitrary<unknown> => replies[operations[request.op].reply](request)

export const notifications: ReadonlyArray<fc.Arbitrary<M.Notification>> = [
  fc.record({ notify: fc.constant("poll"), kh: u64 }),
  fc.record({ notify: fc.constant("invalInode"), ino: u64, off: s64, len: s64 }),
  fc.record({ notify: fc.constant("invalEntry"), parent: u64, name, flags: u32 }),
  fc.record({ notify: fc.constant("store"), nodeid: u64, offset: u64, data: bytes(300) }),
  fc.record({ notify: fc.constant("retrieve"), notifyUnique: u64, nodeid: u64, offset: u64, size: u32 }),
  fc.record({ notify: fc.constant("delete"), parent: u64, child: u64, name }),
  fc.constant({ notify: "resend" }),
  fc.constant({ notify: "incEpoch" }),
  fc.record({ notify: fc.constant("prune"), nodeids: fc.array(u64, { maxLength: 50 }) })
]
