/**
 * A request's parts in memory, and its header. On a device the header, the first argument struct and what
 * follows it are one read; on a ring they are apart.
 */
import type { U64 } from "./messages.ts"
import * as structs from "./generated/structs.ts"
import { getU64, setS32, setU16, setU32, setU64 } from "./u64.ts"

// Copies, as generated/structs.ts asks for.
const inHeader = { ...structs.inHeader }
const outHeader = { ...structs.outHeader }

/** All offsets are into `bytes`; `view` is the same memory. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Of `struct fuse_in_header`. */
  readonly header: number
  /** Of the first argument struct. */
  readonly args: number
  /** Of what follows that struct; equal to `args` when the frame is contiguous. */
  readonly payload: number
  /** Just past the last byte. */
  readonly end: number
  /** The data at the end, where it lies elsewhere. */
  readonly apart?: Uint8Array | undefined
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Memory for a reply, in three ways. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** In words of 32 bits: attributes are many, and written by words take a third fewer instructions. */
  readonly words: Uint32Array
}

/** The bytes must begin at a whole word of their buffer. */
export const memoryOf = (bytes: Uint8Array): Memory => ({
  bytes,
  view: viewOf(bytes),
  words: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
})

/** A contiguous frame of `length` bytes from `offset` on. */
export const frameOf = (bytes: Uint8Array, offset = 0, length = bytes.length - offset): Frame => {
  const args = offset + inHeader.bytes
  return {
    bytes,
    view: viewOf(bytes),
    header: offset,
    args,
    payload: args,
    end: Math.min(offset + length, bytes.length)
  }
}

/** Offset of what follows the first argument struct, of `size` bytes. */
export const afterArgs = (frame: Frame, size: number): number =>
  frame.payload === frame.args ? frame.args + size : frame.payload

export const lengthOf = (frame: Frame): number => frame.view.getUint32(frame.header + inHeader.len, true)
export const opcodeOf = (frame: Frame): number => frame.view.getUint32(frame.header + inHeader.opcode, true)
export const uniqueOf = (frame: Frame): U64 => getU64(frame.view, frame.header + inHeader.unique)
const nodeidOf = (frame: Frame): U64 => getU64(frame.view, frame.header + inHeader.nodeid)
const uidOf = (frame: Frame): number => frame.view.getUint32(frame.header + inHeader.uid, true)
const gidOf = (frame: Frame): number => frame.view.getUint32(frame.header + inHeader.gid, true)
const pidOf = (frame: Frame): number => frame.view.getUint32(frame.header + inHeader.pid, true)
/** Bytes of header extensions at the frame's end (7.38). */
export const extensionBytesOf = (frame: Frame): number =>
  frame.view.getUint16(frame.header + inHeader.totalExtlen, true) * 8

/** `struct fuse_in_header`. */
export interface InHeader {
  /** Of the whole message, in bytes. */
  readonly len: number
  readonly opcode: number
  readonly unique: U64
  readonly nodeid: U64
  readonly uid: number
  readonly gid: number
  readonly pid: number
  /** In units of 8 bytes. */
  readonly totalExtlen: number
}

/** Undefined when the frame is shorter than a header. */
export const readInHeader = (frame: Frame): InHeader | undefined =>
  frame.header + inHeader.bytes > frame.bytes.length || frame.end - frame.header < inHeader.bytes
    ? undefined
    : {
        len: lengthOf(frame),
        opcode: opcodeOf(frame),
        unique: uniqueOf(frame),
        nodeid: nodeidOf(frame),
        uid: uidOf(frame),
        gid: gidOf(frame),
        pid: pidOf(frame),
        totalExtlen: extensionBytesOf(frame) / 8
      }

export const writeInHeader = (view: DataView, at: number, header: InHeader): void => {
  setU32(view, at + inHeader.len, header.len, "len")
  setU32(view, at + inHeader.opcode, header.opcode, "opcode")
  setU64(view, at + inHeader.unique, header.unique, "unique")
  setU64(view, at + inHeader.nodeid, header.nodeid, "nodeid")
  setU32(view, at + inHeader.uid, header.uid, "uid")
  setU32(view, at + inHeader.gid, header.gid, "gid")
  setU32(view, at + inHeader.pid, header.pid, "pid")
  setU16(view, at + inHeader.totalExtlen, header.totalExtlen, "total_extlen")
  view.setUint16(at + inHeader.padding, 0, true)
}

/** `struct fuse_out_header`. */
export interface OutHeader {
  /** Of the whole message, in bytes. */
  readonly len: number
  /** 0, a negative errno, or (with `unique` 0) a notification's code. */
  readonly error: number
  readonly unique: U64
}

export const readOutHeader = (view: DataView, at: number): OutHeader => ({
  len: view.getUint32(at + outHeader.len, true),
  error: view.getInt32(at + outHeader.error, true),
  unique: getU64(view, at + outHeader.unique)
})

/** `length` is the body's alone, in bytes. */
export const writeOutHeader = (view: DataView, at: number, length: number, error: number, unique: U64): void => {
  setU32(view, at + outHeader.len, outHeader.bytes + length, "len")
  setS32(view, at + outHeader.error, error, "error")
  setU64(view, at + outHeader.unique, unique, "unique")
}
