/**
 * The protocol, one row per opcode. Everything that is known of an opcode is in its row: its name and the
 * operation it calls, the minor version it appeared in, how its request and reply lie in memory, and how
 * the kernel and we treat it. `include/uapi/linux/fuse.h`, `enum fuse_opcode`, protocol 7.45.
 */
import { Cursor } from "./cursor.ts"
import { isDecodeError, malformedRequest } from "./decodeError.ts"
import { afterArgs, type Frame, lengthOf, type Memory, memoryOf, opcodeOf, readOutHeader, viewOf, writeInHeader, writeOutHeader } from "./frame.ts"
import type { Negotiated, Version } from "./init.ts"
import type * as M from "./messages.ts"
import type { DecodeError, FileRange, ReplyOf, Request, U64 } from "./messages.ts"
import { type EncodeError, encodeErrorOf, isReplyRefusal, refusalOf, type ReplyRefusal, refuse } from "./refusal.ts"
import * as R from "./replyShapes.ts"
import * as Q from "./requestShapes.ts"
import { inHeader, outHeader } from "./generated/structs.ts"
import { Writer } from "./writer.ts"

export { isReplyRefusal, type ReplyRefusal } from "./refusal.ts"

export interface OpcodeRow {
  readonly opcode: number
  /** Without `FUSE_`. */
  readonly name: string
  /** The operation; RENAME2 and COPY_FILE_RANGE_64 share their elders'. */
  readonly op: Request["op"]
  /** The version it appeared in. */
  readonly since: readonly [7, number]
  /** Bytes of the first argument struct. */
  readonly argsSize: number
  /** Bytes a reply's body has at least. */
  readonly replySize: number
  /** False: the kernel takes no reply. (One to INTERRUPT is optional, and never needed on one channel.) */
  readonly hasReply: boolean
  /** The request carries data: a view into its frame. */
  readonly hasPayload: boolean
  /** Adds, removes or moves a name. */
  readonly changesNamespace: boolean
  /** Changes the filesystem: names, contents or attributes. */
  readonly mutates: boolean
  /** Once answered ENOSYS the kernel asks no more (OPEN and OPENDIR: if the FUSE_NO_* flag was agreed on). */
  readonly enosysIsSticky: boolean
  /** An INTERRUPT stops the operation, where the backend says nothing else. */
  readonly interruptible: boolean
  /** Answered by the session itself, not by an operation of the backend. */
  readonly bySession: boolean
  /** Seen from a real kernel, and its reply taken by one. */
  readonly tested: boolean
  /** The request shape's own, here for the same reason as `views`. */
  readonly argsSizeOf: Q.RequestShape<Request>["argsSizeOf"] | undefined
  readonly exact: boolean
  readonly shape: Q.RequestShape<Request>
  readonly reply: R.ReplyShape<Request, unknown> | undefined
  /** The reply's own `views` and `range`, where it has them: here every row has the fields, which costs less to look at. */
  readonly views: R.ReplyShape<Request, unknown>["views"] | undefined
  readonly range: R.ReplyShape<Request, unknown>["range"] | undefined
}

type ValueOf<Req extends Request> = Req["op"] extends keyof ReplyOf ? ReplyOf[Req["op"]] : never

interface Spec<Req extends Request> {
  readonly opcode: number
  readonly name: string
  readonly op: Req["op"]
  readonly since: readonly [7, number]
  readonly request: Q.RequestShape<Req>
  readonly reply: R.ReplyShape<Req, ValueOf<Req>> | undefined
  readonly changesNamespace?: true
  readonly mutates?: true
  readonly enosysIsSticky?: true
  readonly interruptible?: true
  readonly hasPayload?: true
  readonly bySession?: true
  readonly tested?: false
}

/** What is wrong with the frame's parts before its arguments are looked at. */
const misshapen = (frame: Frame, size: number, at: number): DecodeError => {
  const { args, end, header, payload } = frame
  if (payload === args && end - header < inHeader.bytes) return malformedRequest(frame, "header", header, `${inHeader.bytes} bytes expected`)
  if (at > end) return malformedRequest(frame, "args", args, `${size} bytes expected, ${Math.max(0, end - args)} there`)
  return malformedRequest(frame, "len", header, `${lengthOf(frame)} bytes promised`)
}

const opcode = <Req extends Request>(spec: Spec<Req>): OpcodeRow => {
  const { reply, request: shape } = spec
  const { argsSize, argsSizeOf, exact } = shape
  return {
    opcode: spec.opcode,
    name: spec.name,
    op: spec.op,
    since: spec.since,
    argsSize,
    replySize: reply?.size ?? 0,
    hasReply: reply !== undefined,
    hasPayload: spec.hasPayload ?? false,
    changesNamespace: spec.changesNamespace ?? false,
    mutates: spec.mutates ?? spec.changesNamespace ?? false,
    enosysIsSticky: spec.enosysIsSticky ?? false,
    interruptible: spec.interruptible ?? false,
    bySession: spec.bySession ?? false,
    tested: spec.tested ?? true,
    argsSizeOf,
    exact,
    shape,
    reply,
    views: reply?.views?.bind(reply),
    range: reply?.range?.bind(reply)
  }
}

const rows: ReadonlyArray<OpcodeRow> = [
  opcode<M.LookupRequest>({
    opcode: 1, name: "LOOKUP", op: "lookup", since: [7, 1], request: Q.nameOnly("lookup"), reply: R.found
  }),
  opcode<M.ForgetRequest>({
    opcode: 2, name: "FORGET", op: "forget", since: [7, 1], request: Q.forget, reply: undefined,
    bySession: true
  }),
  opcode<M.GetattrRequest>({
    opcode: 3, name: "GETATTR", op: "getattr", since: [7, 1], request: Q.getattr, reply: R.attributes
  }),
  opcode<M.SetattrRequest>({
    opcode: 4, name: "SETATTR", op: "setattr", since: [7, 1], request: Q.setattr, reply: R.attributes,
    mutates: true
  }),
  opcode<M.ReadlinkRequest>({
    opcode: 5, name: "READLINK", op: "readlink", since: [7, 1], request: Q.noArgs("readlink"), reply: R.target
  }),
  opcode<M.SymlinkRequest>({
    opcode: 6, name: "SYMLINK", op: "symlink", since: [7, 1], request: Q.symlink, reply: R.newEntry,
    changesNamespace: true
  }),
  opcode<M.MknodRequest>({
    opcode: 8, name: "MKNOD", op: "mknod", since: [7, 1], request: Q.mknod, reply: R.newEntry,
    changesNamespace: true
  }),
  opcode<M.MkdirRequest>({
    opcode: 9, name: "MKDIR", op: "mkdir", since: [7, 1], request: Q.mkdir, reply: R.newEntry,
    changesNamespace: true
  }),
  opcode<M.UnlinkRequest>({
    opcode: 10, name: "UNLINK", op: "unlink", since: [7, 1], request: Q.nameOnly("unlink"), reply: R.nothing,
    changesNamespace: true
  }),
  opcode<M.RmdirRequest>({
    opcode: 11, name: "RMDIR", op: "rmdir", since: [7, 1], request: Q.nameOnly("rmdir"), reply: R.nothing,
    changesNamespace: true
  }),
  opcode<M.RenameRequest>({
    opcode: 12, name: "RENAME", op: "rename", since: [7, 1], request: Q.rename, reply: R.nothing,
    changesNamespace: true
  }),
  opcode<M.LinkRequest>({
    opcode: 13, name: "LINK", op: "link", since: [7, 1], request: Q.link, reply: R.newEntry,
    changesNamespace: true, enosysIsSticky: true
  }),
  opcode<M.OpenRequest>({
    opcode: 14, name: "OPEN", op: "open", since: [7, 1], request: Q.opening("open"), reply: R.opened,
    enosysIsSticky: true
  }),
  opcode<M.ReadRequest>({
    opcode: 15, name: "READ", op: "read", since: [7, 1], request: Q.reading("read"), reply: R.content,
    interruptible: true
  }),
  opcode<M.WriteRequest>({
    opcode: 16, name: "WRITE", op: "write", since: [7, 1], request: Q.write, reply: R.written,
    mutates: true, hasPayload: true
  }),
  opcode<M.StatfsRequest>({
    opcode: 17, name: "STATFS", op: "statfs", since: [7, 1], request: Q.noArgs("statfs"), reply: R.usage
  }),
  opcode<M.ReleaseRequest>({
    opcode: 18, name: "RELEASE", op: "release", since: [7, 1], request: Q.releasing("release"), reply: R.nothing
  }),
  opcode<M.FsyncRequest>({
    opcode: 20, name: "FSYNC", op: "fsync", since: [7, 1], request: Q.fsyncing("fsync"), reply: R.nothing,
    enosysIsSticky: true
  }),
  opcode<M.SetxattrRequest>({
    opcode: 21, name: "SETXATTR", op: "setxattr", since: [7, 1], request: Q.setxattr, reply: R.nothing,
    mutates: true, enosysIsSticky: true, hasPayload: true
  }),
  opcode<M.GetxattrRequest>({
    opcode: 22, name: "GETXATTR", op: "getxattr", since: [7, 1], request: Q.getxattr, reply: R.attribute,
    enosysIsSticky: true
  }),
  opcode<M.ListxattrRequest>({
    opcode: 23, name: "LISTXATTR", op: "listxattr", since: [7, 1], request: Q.listxattr, reply: R.attribute,
    enosysIsSticky: true
  }),
  opcode<M.RemovexattrRequest>({
    opcode: 24, name: "REMOVEXATTR", op: "removexattr", since: [7, 1], request: Q.removexattr, reply: R.nothing,
    mutates: true, enosysIsSticky: true
  }),
  opcode<M.FlushRequest>({
    opcode: 25, name: "FLUSH", op: "flush", since: [7, 1], request: Q.flush, reply: R.nothing,
    enosysIsSticky: true
  }),
  opcode<M.InitRequest>({
    opcode: 26, name: "INIT", op: "init", since: [7, 1], request: Q.init, reply: R.agreed,
    bySession: true
  }),
  opcode<M.OpendirRequest>({
    opcode: 27, name: "OPENDIR", op: "opendir", since: [7, 1], request: Q.opening("opendir"), reply: R.opened,
    enosysIsSticky: true
  }),
  opcode<M.ReaddirRequest>({
    opcode: 28, name: "READDIR", op: "readdir", since: [7, 1], request: Q.reading("readdir"), reply: R.listing
  }),
  opcode<M.ReleasedirRequest>({
    opcode: 29, name: "RELEASEDIR", op: "releasedir", since: [7, 1], request: Q.releasing("releasedir"), reply: R.nothing
  }),
  opcode<M.FsyncdirRequest>({
    opcode: 30, name: "FSYNCDIR", op: "fsyncdir", since: [7, 2], request: Q.fsyncing("fsyncdir"), reply: R.nothing,
    enosysIsSticky: true
  }),
  opcode<M.GetlkRequest>({
    opcode: 31, name: "GETLK", op: "getlk", since: [7, 7], request: Q.locking("getlk"), reply: R.conflict
  }),
  opcode<M.SetlkRequest>({
    opcode: 32, name: "SETLK", op: "setlk", since: [7, 7], request: Q.locking("setlk"), reply: R.nothing
  }),
  opcode<M.SetlkwRequest>({
    opcode: 33, name: "SETLKW", op: "setlkw", since: [7, 7], request: Q.locking("setlkw"), reply: R.nothing,
    interruptible: true
  }),
  opcode<M.AccessRequest>({
    opcode: 34, name: "ACCESS", op: "access", since: [7, 3], request: Q.access, reply: R.nothing,
    enosysIsSticky: true
  }),
  opcode<M.CreateRequest>({
    opcode: 35, name: "CREATE", op: "create", since: [7, 3], request: Q.create, reply: R.created,
    changesNamespace: true, enosysIsSticky: true
  }),
  opcode<M.InterruptRequest>({
    opcode: 36, name: "INTERRUPT", op: "interrupt", since: [7, 7], request: Q.interrupt, reply: undefined,
    enosysIsSticky: true, bySession: true
  }),
  opcode<M.BmapRequest>({
    opcode: 37, name: "BMAP", op: "bmap", since: [7, 8], request: Q.bmap, reply: R.block,
    enosysIsSticky: true
  }),
  opcode<M.DestroyRequest>({
    opcode: 38, name: "DESTROY", op: "destroy", since: [7, 8], request: Q.noArgs("destroy"), reply: R.nothing,
    bySession: true
  }),
  opcode<M.IoctlRequest>({
    opcode: 39, name: "IOCTL", op: "ioctl", since: [7, 11], request: Q.ioctl, reply: R.controlled,
    interruptible: true, hasPayload: true
  }),
  opcode<M.PollRequest>({
    opcode: 40, name: "POLL", op: "poll", since: [7, 11], request: Q.poll, reply: R.ready,
    enosysIsSticky: true, interruptible: true
  }),
  opcode<M.NotifyReplyRequest>({
    opcode: 41, name: "NOTIFY_REPLY", op: "notifyReply", since: [7, 15], request: Q.notifyReply, reply: undefined,
    hasPayload: true, bySession: true
  }),
  opcode<M.BatchForgetRequest>({
    opcode: 42, name: "BATCH_FORGET", op: "batchForget", since: [7, 16], request: Q.batchForget, reply: undefined,
    bySession: true
  }),
  opcode<M.FallocateRequest>({
    opcode: 43, name: "FALLOCATE", op: "fallocate", since: [7, 19], request: Q.fallocate, reply: R.nothing,
    mutates: true, enosysIsSticky: true
  }),
  opcode<M.ReaddirplusRequest>({
    opcode: 44, name: "READDIRPLUS", op: "readdirplus", since: [7, 21], request: Q.reading("readdirplus"), reply: R.listingPlus
  }),
  opcode<M.RenameRequest>({
    opcode: 45, name: "RENAME2", op: "rename", since: [7, 23], request: Q.rename2, reply: R.nothing,
    changesNamespace: true, enosysIsSticky: true
  }),
  opcode<M.LseekRequest>({
    opcode: 46, name: "LSEEK", op: "lseek", since: [7, 24], request: Q.lseek, reply: R.position,
    enosysIsSticky: true
  }),
  opcode<M.CopyFileRangeRequest>({
    opcode: 47, name: "COPY_FILE_RANGE", op: "copyFileRange", since: [7, 28], request: Q.copyFileRange(false), reply: R.copied,
    mutates: true, enosysIsSticky: true
  }),
  opcode<M.SetupmappingRequest>({
    opcode: 48, name: "SETUPMAPPING", op: "setupmapping", since: [7, 31], request: Q.setupmapping, reply: R.nothing,
    tested: false
  }),
  opcode<M.RemovemappingRequest>({
    opcode: 49, name: "REMOVEMAPPING", op: "removemapping", since: [7, 31], request: Q.removemapping, reply: R.nothing,
    tested: false
  }),
  opcode<M.SyncfsRequest>({
    opcode: 50, name: "SYNCFS", op: "syncfs", since: [7, 34], request: Q.syncfs, reply: R.nothing,
    enosysIsSticky: true
  }),
  opcode<M.TmpfileRequest>({
    opcode: 51, name: "TMPFILE", op: "tmpfile", since: [7, 37], request: Q.tmpfile, reply: R.created,
    changesNamespace: true, enosysIsSticky: true
  }),
  opcode<M.StatxRequest>({
    opcode: 52, name: "STATX", op: "statx", since: [7, 39], request: Q.statx, reply: R.extendedAttributes,
    enosysIsSticky: true
  }),
  opcode<M.CopyFileRangeRequest>({
    opcode: 53, name: "COPY_FILE_RANGE_64", op: "copyFileRange", since: [7, 45], request: Q.copyFileRange(true), reply: R.copied,
    mutates: true, enosysIsSticky: true
  }),
]

const lastOpcode = 53

/** The rows by opcode. */
export const opcodeTable: ReadonlyArray<OpcodeRow | undefined> = Array.from(
  { length: lastOpcode + 1 },
  (_, number) => rows.find((row) => row.opcode === number)
)

const rowsByOp = new Map<Request["op"], OpcodeRow>()
for (const row of rows) if (!rowsByOp.has(row.op)) rowsByOp.set(row.op, row)

const rename2 = opcodeTable[45]
const copyFileRange64 = opcodeTable[53]

/** The row by which the kernel would send `request`. */
export const rowOf = (request: Request): OpcodeRow => {
  const row = request.op === "rename" && request.flags !== 0
    ? rename2
    : request.op === "copyFileRange" && request.wide
    ? copyFileRange64
    : rowsByOp.get(request.op)
  return row ?? refuse("EIO", `no opcode for ${String(request.op)}`)
}

// ---------------------------------------------------------------- requests

/** The request in a frame that has the row's opcode. */
export const decodeAs = (row: OpcodeRow, frame: Frame, version: Version | undefined): Request | DecodeError => {
  const size = row.argsSizeOf === undefined ? row.argsSize : row.argsSizeOf(version)
  const at = afterArgs(frame, size)
  const { args, end, header, payload } = frame
  // The header's own length is the parts' together, however they lie.
  const length = payload === args ? end - header : inHeader.bytes + size + end - payload
  if (at > end || length < inHeader.bytes || lengthOf(frame) !== length) return misshapen(frame, size, at)
  if (row.exact && at !== end) return malformedRequest(frame, "end", at, `${end - at} bytes too many`)
  return row.shape.decode(frame, at, version)
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
    const totalExtlen = row.shape.encode(request, writer, version)
    const { gid, nodeid, pid, uid, unique } = request
    writeInHeader(writer.view, 0, { len: writer.length, opcode: row.opcode, unique, nodeid, uid, gid, pid, totalExtlen })
    return writer.finish()
  } catch (thrown) {
    return encodeErrorOf(thrown)
  }
}

// ---------------------------------------------------------------- replies

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
  count: R.CountLookup
): number | ReplyRefusal => {
  const { reply } = row
  try {
    if (reply === undefined) return refuse("EIO", `${row.name} has no reply`)
    if (reply.size > capacity) refuse("EIO", `the reply has ${reply.size} bytes, ${capacity} fit`)
    return reply.write(value, request, memory, offset, capacity, count, negotiated)
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

/** Where in a file the body lies, when that is the answer. */
export const replyRange = (row: OpcodeRow, value: unknown, request: Request): FileRange | undefined => row.range?.(value, request)

const noCount: R.CountLookup = () => {}
/** Beyond any body that is not data: a listing is bounded by its request's size. */
const bodyRoom = 64 * 1024

/** A complete reply, header and body, in memory of its own. */
export const encodeReplyFrame = <Req extends Request>(
  request: Req,
  value: ValueOf<Req>,
  negotiated?: Negotiated,
  count: R.CountLookup = noCount
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
export const decodeReply = <Req extends Request>(bytes: Uint8Array, request: Req): Reply<ValueOf<Req>> | DecodeError => {
  const cursor = new Cursor(bytes, 0, bytes.length)
  try {
    const header = readOutHeader(cursor.view, cursor.take(outHeader.bytes, "header"))
    cursor.unique = header.unique
    if (header.len !== bytes.length) cursor.fail("len", `${header.len} bytes promised`, 0)
    if (header.error > 0 || header.error < -mostErrno) cursor.fail("error", `${header.error} is no errno`, outHeader.error)
    if (header.error !== 0) {
      cursor.finish("body")
      return { unique: header.unique, errno: -header.error }
    }
    const { name, reply } = rowOf(request)
    if (reply === undefined) return cursor.malformed("header", `${name} has no reply`)
    const value = reply.read(cursor, request)
    cursor.finish()
    // The row was found by the request's own operation, so the value is that operation's.
    return { unique: header.unique, errno: 0, value: value as ValueOf<Req> }
  } catch (thrown) {
    if (isDecodeError(thrown)) return thrown
    throw thrown
  }
}

/** Every operation that a backend may have, by the name it has there. */
export const operationNames: ReadonlyArray<Request["op"]> = [...new Set(opcodeTable.flatMap((row) => row === undefined || row.bySession ? [] : [row.op]))]
