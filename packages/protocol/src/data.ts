/** Replies that are bytes of the backend's own: counted and checked here, copied only when they must be. */
import { types } from "node:util"
import type { DataPart, FileRange } from "./messages.ts"
import { refuse } from "./refusal.ts"

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
/** An offset that only a bigint holds. Beyond 2^63, where off_t ends, reading there is EINVAL, as pread(2) has it. */
const isFarOffset = (value: unknown): value is bigint => typeof value === "bigint" && value >= 0n && value < 1n << 64n

/** Descriptors are ints. */
const largestDescriptor = 0x7fff_ffff

/** Where in a file a reply's body lies, read once: what was checked is what is used. Undefined when `value` is no range. */
const rangeOf = (value: unknown): FileRange | undefined => {
  if (typeof value !== "object" || value === null || !("fd" in value) || !("length" in value)) return undefined
  const { fd, length } = value
  if (!isCount(fd) || fd > largestDescriptor || !isCount(length)) return undefined
  const offset = "offset" in value ? value.offset : undefined
  if (offset === undefined) return { fd, length }
  return isCount(offset) || isFarOffset(offset) ? { fd, offset, length } : undefined
}

const getter = (prototype: object, name: string): ((this: unknown) => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get ?? refuse("EIO", `typed arrays have no ${name}`)
const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype)
const realLength = getter(typedArray, "length")
const realOffset = getter(typedArray, "byteOffset")
const realBuffer = getter(typedArray, "buffer")

// `Buffer` is a getter of the global object, and costs as much as all else that is looked at here.
const ofBuffers: unknown = Buffer.prototype
const ofArrays: unknown = Uint8Array.prototype

const noBytes = new Uint8Array(0)
/** A list of more is a mistake. */
const mostParts = 1 << 16

/** For what an array's own properties may lie about: another view of the same memory. */
const plainView = (part: Uint8Array, length: number): Uint8Array => {
  const buffer = realBuffer.call(part)
  if (!(buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer))
    return refuse("EIO", "bytes without memory")
  if (length > 0) return new Uint8Array(buffer, Number(realOffset.call(part)), length)
  if (buffer instanceof ArrayBuffer && Reflect.get(buffer, "detached") === true)
    return refuse("EIO", "the bytes' memory was transferred to somebody else")
  return noBytes
}

/** Whether this is a Uint8Array or Buffer with nothing of its own, memory behind it, and so a `length` that is true. */
export const isPlainBytes = (part: unknown): part is Uint8Array => {
  // `instanceof` alone takes a Proxy, `isView` alone takes the other typed arrays.
  if (!ArrayBuffer.isView(part) || !(part instanceof Uint8Array) || part.length <= 0) return false
  const prototype: unknown = Object.getPrototypeOf(part)
  return (prototype === ofArrays || prototype === ofBuffers) && !Object.hasOwn(part, "length")
}

/**
 * The bytes that an array has, whatever its own `length` says: a backend's array may be a subclass, or have had its
 * memory taken away. Undefined when it is no Uint8Array; so is a Proxy of one, or an object with the prototype of one.
 */
const viewOfPart = (part: unknown): Uint8Array | undefined => {
  // A call of `realLength` for each of them made a READ of 4 KiB 20 ns slower (bench/dispatch.ts, 2026-11).
  if (isPlainBytes(part)) return part
  if (!ArrayBuffer.isView(part) || !(part instanceof Uint8Array)) return undefined
  return plainView(part, Number(realLength.call(part)))
}

/** The views of `data`, each with a `length` that is true; undefined when it is not bytes. */
export const viewsOf = (data: unknown): ReadonlyArray<Uint8Array> | undefined => {
  const whole = viewOfPart(data)
  if (whole !== undefined) return [whole]
  if (!Array.isArray(data)) return undefined
  // It is looked at again when it is sent, and must be the same then.
  if (types.isProxy(data)) return refuse("EIO", "bytes in parts, behind a Proxy")
  const count = data.length
  if (count > mostParts) return refuse("EIO", `bytes in ${count} parts`)
  let views: Array<Uint8Array> = data
  for (let index = 0; index < count; index++) {
    const part: unknown = data[index]
    const view = viewOfPart(part)
    if (view === undefined) return undefined
    if (view === part && views === data) continue
    if (views === data) views = data.slice(0, index)
    views.push(view)
  }
  return views
}

/**
 * A reply's body of which some lies in files: its pieces in order, each looked at once. Undefined when `value` is neither
 * a range nor a list of ranges and bytes.
 */
export const partsOf = (value: unknown): ReadonlyArray<DataPart> | undefined => {
  if (!Array.isArray(value)) {
    const range = rangeOf(value)
    return range === undefined ? undefined : [range]
  }
  if (types.isProxy(value) || value.length > mostParts) return undefined
  const parts: Array<DataPart> = []
  for (const one of value as ReadonlyArray<unknown>) {
    const part = viewOfPart(one) ?? rangeOf(one)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts
}

/** Bytes in all. */
export const viewsLength = (views: ReadonlyArray<DataPart>): number => {
  let length = 0
  for (const view of views) length += view.length
  return length
}

/** As `viewsOf`; refuses what is neither bytes nor a list of them. */
export const checkedViews = (data: unknown, what: string): ReadonlyArray<Uint8Array> =>
  viewsOf(data) ?? refuse("EIO", `${what} is not bytes`)

/** Copies all of it to `at`; returns its length. */
export const putData = (bytes: Uint8Array, at: number, views: ReadonlyArray<Uint8Array>): number => {
  let to = at
  for (const view of views) {
    bytes.set(view, to)
    to += view.length
  }
  return to - at
}
