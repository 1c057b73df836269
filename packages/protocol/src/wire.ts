/** Whole messages: requests and replies, decoded and encoded both ways. */
import { Cursor } from "./cursor.ts"
import { isDecodeError, malformedRequest } from "./decodeError.ts"
import {
  afterArgs,
  type Frame,
  lengthOf,
  type Memory,
  memoryOf,
  opcodeOf,
  readOutHeader,
  viewOf,
  writeInHeader,
  writeOutHeader
} from "./frame.ts"
import { inHeader, outHeader } from "./generated/structs.ts"
import type { Negotiated } from "./init.ts"
import type { DataPart, DecodeError, ReplyOf, Request, U64 } from "./messages.ts"
import { type OpcodeRow, opcodeTable, rowOf } from "./opcodes.ts"
import { type EncodeError, encodeErrorOf, isReplyRefusal, refusalOf, type ReplyRefusal, refuse } from "./refusal.ts"
import type { CountLookup } from "./replies/reply.ts"
import type { Version } from "./version.ts"
import { Writer } from "./writer.ts"

type ValueOf<Req extends Request> = Req["op"] extends keyof ReplyOf ? ReplyOf[Req["op"]] : never

/** What is wrong with the frame's parts before its arguments are looked at. */
const misshapen = (frame: Frame, size: number, at: number): DecodeError => {
  const { args, end, header, payload } = frame
  if (payload === args && end - header < inHeader.bytes)
    return malformedRequest(frame, "header", header, `${inHeader.bytes} bytes expected`)
  if (at > end) return malformedRequest(frame, "args", args, `${size} bytes expected, ${Math.max(0, end - args)} there`)
  return malformedRequest(frame, "len", header, `${lengthOf(frame)} bytes promised`)
}

/** The request in a frame that has the row's opcode. */
export const decodeAs = (row: OpcodeRow, frame: Frame, version: Version | undefined): Request | DecodeError => {
  const size = row.argsSizeOf === undefined ? row.argsSize : row.argsSizeOf(version)
  const at = afterArgs(frame, size)
  const { args, end, header, payload } = frame
  // The header's own length is the parts' together, however they lie.
  const length = payload === args ? end - header : inHeader.bytes + size + end - payload
  if (at > end || length < inHeader.bytes || lengthOf(frame) !== length) return misshapen(frame, size, at)
  if (row.exact && at !== end) return malformedRequest(frame, "end", at, `${end - at} bytes too many`)
  return row.decode(frame, at, version)
}

/** Any bytes at all give a request or a `DecodeError`. `version` is undefined before INIT. */
export const decodeRequest = (frame: Frame, version?: Version): Request | DecodeError => {
  if (frame.payload === frame.args && frame.end - frame.header < inHeader.bytes) {
    return malformedRequest(frame, "header", frame.header, `${inHeader.bytes} bytes expected`)
  }
  const row = opcodeTable[opcodeOf(frame)]
  if (row === undefined) return malformedRequest(frame, "opcode", frame.header + inHeader.opcode, "not known")
  return decodeAs(row, frame, version)
}

/** The complete frame the kernel would send. */
export const encodeRequest = (request: Request, version?: Version): Uint8Array | EncodeError => {
  try {
    const row = rowOf(request)
    const writer = new Writer()
    writer.grow(inHeader.bytes)
    const totalExtlen = row.encode(request, writer, version)
    const { gid, nodeid, pid, uid, unique } = request
    writeInHeader(writer.view, 0, {
      len: writer.length,
      opcode: row.opcode,
      unique,
      nodeid,
      uid,
      gid,
      pid,
      totalExtlen
    })
    return writer.finish()
  } catch (thrown) {
    return encodeErrorOf(thrown)
  }
}

/**
 * Writes the body of a successful reply at `offset`, where a word begins, within `capacity` bytes; returns its length. `count`
 * gets the node id of each entry in it for which the kernel will count a lookup; what it got before a
 * refusal does not count.
 */
export const encodeReply = (
  row: OpcodeRow,
  value: unknown,
  request: Request,
  negotiated: Negotiated | undefined,
  memory: Memory,
  offset: number,
  capacity: number,
  count: CountLookup
): number | ReplyRefusal => {
  const { codec } = row
  try {
    if (codec === undefined) return refuse("EIO", `${row.name} has no reply`)
    if (codec.size > capacity) refuse("EIO", `the reply has ${codec.size} bytes, ${capacity} fit`)
    return codec.write(value, request, memory, offset, capacity, count, negotiated)
  } catch (thrown) {
    return refusalOf(thrown)
  }
}

/** The body as the backend's own memory, to be sent gathered; undefined when it must be encoded (or refused) by `encodeReply`. */
export const replyData = (row: OpcodeRow, value: unknown, request: Request): ReadonlyArray<Uint8Array> | undefined => {
  if (row.views === undefined) return undefined
  try {
    return row.views(value, request)
  } catch {
    // `encodeReply` meets the same and says why.
    return undefined
  }
}

/** The body's pieces, when some of them lie in files; undefined when none does. Throws what `refusalOf` takes. */
export const replyParts = (row: OpcodeRow, value: unknown, request: Request): ReadonlyArray<DataPart> | undefined =>
  row.parts?.(value, request)

const noCount: CountLookup = () => {}
/** Beyond any body that is not data: a listing is bounded by its request's size. */
const bodyRoom = 64 * 1024

/** A complete reply, header and body, in memory of its own. */
export const encodeReplyFrame = <Req extends Request>(
  request: Req,
  value: ValueOf<Req>,
  negotiated?: Negotiated,
  count: CountLookup = noCount
): Uint8Array | ReplyRefusal => {
  const room = bodyRoom + ("size" in request && typeof request.size === "number" ? Math.min(request.size, 1 << 24) : 0)
  const memory = memoryOf(new Uint8Array(outHeader.bytes + room))
  try {
    const length = encodeReply(rowOf(request), value, request, negotiated, memory, outHeader.bytes, room, count)
    if (isReplyRefusal(length)) return length
    writeOutHeader(memory.view, 0, length, 0, request.unique)
    return memory.bytes.slice(0, outHeader.bytes + length)
  } catch (thrown) {
    return refusalOf(thrown)
  }
}

/** A complete reply that says only an error: a positive errno. */
export const encodeErrorFrame = (unique: U64, errno: number): Uint8Array => {
  const bytes = new Uint8Array(outHeader.bytes)
  writeOutHeader(viewOf(bytes), 0, 0, -errno, unique)
  return bytes
}

/** A reply read back: a value, or a positive errno and none. */
export type Reply<Value> =
  | { readonly unique: U64; readonly errno: 0; readonly value: Value }
  | { readonly unique: U64; readonly errno: number; readonly value?: never }

/** FUSE_MAX_ERRNO of the kernel's own check: an error lies in -511 to 0. */
const mostErrno = 511

/** Reads a whole reply to `request`. Any bytes at all give a reply or a `DecodeError`. */
export const decodeReply = <Req extends Request>(
  bytes: Uint8Array,
  request: Req
): Reply<ValueOf<Req>> | DecodeError => {
  const cursor = new Cursor(bytes, 0, bytes.length)
  try {
    const header = readOutHeader(cursor.view, cursor.take(outHeader.bytes, "header"))
    cursor.unique = header.unique
    if (header.len !== bytes.length) cursor.fail("len", `${header.len} bytes promised`, 0)
    if (header.error > 0 || header.error < -mostErrno)
      cursor.fail("error", `${header.error} is not an errno`, outHeader.error)
    if (header.error !== 0) {
      cursor.finish("body")
      return { unique: header.unique, errno: -header.error }
    }
    const { codec, name } = rowOf(request)
    if (codec === undefined) return cursor.malformed("header", `${name} has no reply`)
    const value = codec.read(cursor, request)
    cursor.finish()
    // The row was found by the request's own operation, so the value is that operation's.
    return { unique: header.unique, errno: 0, value: value as ValueOf<Req> }
  } catch (thrown) {
    if (isDecodeError(thrown)) return thrown
    throw thrown
  }
}
