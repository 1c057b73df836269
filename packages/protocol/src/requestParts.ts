/** What the generated request codecs share: names, extensions and data behind a request's struct, and what is wrong with them. */
import { isDecodeError, malformedRequest } from "./decodeError.ts"
import { readExtensions, writeExtensions } from "./extensions.ts"
import { extensionBytesOf, type Frame } from "./frame.ts"
import { inHeader } from "./generated/structs.ts"
import type { Request } from "./generated/messages.ts"
import { readName, readPath } from "./name.ts"
import type { DecodeError, Extensions, Name } from "./primitives.ts"
import { refuse } from "./refusal.ts"
import type { Version } from "./version.ts"
import type { Writer } from "./writer.ts"

/** How a request's arguments lie in a frame, and back. */
export interface RequestCodec<R extends Request> {
  /** Bytes of the first argument struct, at least; 0 when there is none. */
  readonly argsSize: number
  /** Where the struct's size depends on what was agreed on. */
  readonly argsSizeOf: ((version: Version | undefined) => number) | undefined
  /** Nothing follows the struct. */
  readonly exact: boolean
  /** `at` is where what follows the struct begins; the struct is there in full. */
  decode(frame: Frame, at: number, version: Version | undefined): R | DecodeError
  /** Appends the body. Returns the units of 8 bytes that are extensions. */
  encode(request: R, writer: Writer, version: Version | undefined): number
}

/** The terminated name that is the rest of the frame up to `end`, its NUL the last byte. */
export const lastName = (frame: Frame, at: number, end: number): Name | undefined =>
  end > at && frame.bytes[end - 1] === 0 ? readName(frame.bytes, at, end - 1) : undefined

/** As `lastName`; `/` is allowed. */
export const lastPath = (frame: Frame, at: number, end: number): Name | undefined =>
  end > at && frame.bytes[end - 1] === 0 ? readPath(frame.bytes, at, end - 1) : undefined

export const badName = (frame: Frame, field: string, at: number): DecodeError =>
  malformedRequest(frame, field, at, "not a name that a NUL ends: empty, cut short, or with a NUL or `/` inside")

export const badPath = (frame: Frame, field: string, at: number): DecodeError =>
  malformedRequest(frame, field, at, "not a path that a NUL ends: empty, cut short, or with a NUL inside")

export const badCount = (frame: Frame, at: number, count: number, what: string): DecodeError =>
  malformedRequest(frame, "count", frame.args, `${count} ${what} promised, ${frame.end - at} bytes there`)

/** Where a creation's extensions begin: at the frame's end when there are none. */
export const extensionsAt = (frame: Frame): number => frame.end - extensionBytesOf(frame)

export const badExtensions = (frame: Frame): DecodeError =>
  malformedRequest(
    frame,
    "total_extlen",
    frame.header + inHeader.totalExtlen,
    `${extensionBytesOf(frame)} bytes do not fit in the frame`
  )

/** `base` with the extensions that begin at `from`. */
export const extended = <R extends Request & { readonly extensions?: Extensions }>(
  frame: Frame,
  from: number,
  base: R
): R | DecodeError => {
  if (from === frame.end) return base
  const extensions = readExtensions(frame, from)
  if (extensions === undefined) return base
  return isDecodeError(extensions) ? extensions : { ...base, extensions }
}

/** Returns their length in units of 8 bytes. */
export const appendExtensions = (writer: Writer, request: { readonly extensions?: Extensions }): number =>
  request.extensions === undefined ? 0 : writeExtensions(writer, request.extensions)

/** The `size` bytes from `at` on, which must be the frame's rest. */
export const dataAfter = (frame: Frame, at: number, size: number, field: string): Uint8Array | DecodeError =>
  frame.end - at === size
    ? (frame.apart ?? frame.bytes.subarray(at, frame.end))
    : malformedRequest(frame, field, at, `${size} bytes promised, ${frame.end - at} there`)

export const refuseLength = (field: string, size: number, data: Uint8Array): never =>
  refuse("EIO", `${field} is ${size}, the data has ${data.length} bytes`)
