/**
 * The protocol, one row per opcode: everything that is known of it (`enum fuse_opcode`, protocol 7.45), joined from
 * its operation's row, its request's codec and its reply's.
 */
import { opcodes } from "./constants.ts"
import { requestCodecs } from "./generated/requests.ts"
import type { Request } from "./messages.ts"
import { type OperationName, operations, type OperationTraits, type ReplyKind } from "./operations.ts"
import { refuse } from "./refusal.ts"
import { replyCodecs } from "./replies/index.ts"
import type { ReplyCodec } from "./replies/reply.ts"
import type { RequestCodec } from "./requestParts.ts"

/** An opcode's name, without `FUSE_`. */
export type OpcodeName = keyof typeof requestCodecs

/** What the generator's spec says of an opcode, besides its codec. */
interface Known {
  readonly op: OperationName
  readonly since: number
  readonly enosysIsStickySince: number
  readonly tested: boolean
}

/** Everything about an opcode that dispatch looks at, in one object; all rows have the same shape for V8. */
export interface OpcodeRow extends RequestCodec<Request> {
  readonly opcode: number
  /** Without `FUSE_`. */
  readonly name: string
  /** The operation; RENAME2 and COPY_FILE_RANGE_64 share their elders'. */
  readonly op: OperationName
  /** The version it appeared in. */
  readonly since: readonly [7, number]
  readonly traits: OperationTraits
  /** Of the traits, those that dispatch looks at. */
  readonly changesNamespace: boolean
  readonly hasPayload: boolean
  readonly interruptible: boolean
  readonly bySession: boolean
  readonly opensHandle: boolean
  /** Bytes a reply's body has at least. */
  readonly replySize: number
  /** False: the kernel takes no reply. (One to INTERRUPT is optional, and never needed on one channel.) */
  readonly hasReply: boolean
  readonly enosysIsSticky: boolean
  /** The minor version from which it is; infinite where it never is. */
  readonly enosysIsStickySince: number
  /** Seen from a real kernel, and its reply taken by one. */
  readonly tested: boolean
  readonly codec: ReplyCodec<Request, unknown> | undefined
  /** The reply codec's own, where it has them: here every row has the fields, which costs less to look at. */
  readonly views: ReplyCodec<Request, unknown>["views"] | undefined
  readonly parts: ReplyCodec<Request, unknown>["parts"] | undefined
}

const codecOf = (kind: ReplyKind): ReplyCodec<Request, unknown> | undefined =>
  // The row pairs the operation's requests with this reply.
  kind === "none" ? undefined : (replyCodecs[kind] as ReplyCodec<Request, unknown>)

const makeRow = (name: OpcodeName): OpcodeRow => {
  // Each codec takes the one request that its opcode has, which `rowOf` finds it by.
  const { argsSize, argsSizeOf, decode, encode, enosysIsStickySince, exact, op, since, tested } = requestCodecs[
    name
  ] as RequestCodec<Request> & Known
  const traits = operations[op]
  const codec = codecOf(traits.reply)
  return {
    opcode: opcodes[`FUSE_${name}`],
    name,
    op,
    since: [7, since],
    traits,
    changesNamespace: traits.changesNamespace,
    hasPayload: traits.payload !== undefined,
    interruptible: traits.interruptible,
    bySession: traits.bySession,
    opensHandle: traits.opensHandle,
    argsSize,
    argsSizeOf,
    exact,
    decode,
    encode,
    replySize: codec?.size ?? 0,
    hasReply: codec !== undefined,
    enosysIsSticky: enosysIsStickySince !== Number.POSITIVE_INFINITY,
    enosysIsStickySince,
    tested,
    codec,
    views: codec?.views?.bind(codec),
    parts: codec?.parts?.bind(codec)
  }
}

const all: ReadonlyArray<OpcodeRow> = (Object.keys(requestCodecs) as ReadonlyArray<OpcodeName>).map(makeRow)

/** The rows by opcode. */
export const opcodeTable: ReadonlyArray<OpcodeRow | undefined> = Array.from(
  { length: Math.max(...all.map((row) => row.opcode)) + 1 },
  (_, number) => all.find((row) => row.opcode === number)
)

const rowsByOp = new Map<OperationName, OpcodeRow>()
for (const row of all) if (!rowsByOp.has(row.op)) rowsByOp.set(row.op, row)

const rename2 = opcodeTable[opcodes.FUSE_RENAME2]
const copyFileRange64 = opcodeTable[opcodes.FUSE_COPY_FILE_RANGE_64]

/** The row by which the kernel would send `request`. */
export const rowOf = (request: Request): OpcodeRow => {
  const row =
    request.op === "rename" && request.flags !== 0
      ? rename2
      : request.op === "copyFileRange" && request.wide
        ? copyFileRange64
        : rowsByOp.get(request.op)
  return row ?? refuse("EIO", `no opcode for ${String(request.op)}`)
}
