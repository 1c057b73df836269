/**
 * What is wrong with an answer that could not be encoded, in words. The encoder trusts the types and is fast; what it then
 * fails with names a field at best, so the answer is looked at again, once it has failed.
 */
import { described, type ReplyKind } from "@bickford/protocol"

type Fault = string | undefined
type Check = (value: unknown, where: string) => Fault

const wrong = (value: unknown, where: string, expected: string): string =>
  `${where === "" ? "" : `${where} as `}${described(value)}; expected: ${expected}`

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const is =
  (isRight: (value: unknown) => boolean, expected: string): Check =>
  (value, where) =>
    isRight(value) ? undefined : wrong(value, where, expected)

const isWhole = (value: unknown): boolean =>
  typeof value === "bigint" ? value >= 0n : typeof value === "number" && Number.isInteger(value) && value >= 0
const whole = is(isWhole, "a whole number, not negative")
const wholeNumber = is((value) => typeof value === "number" && isWhole(value), "a whole number, not negative")
const name = is((value) => typeof value === "string" || value instanceof Uint8Array, "a string or a Uint8Array")

const time: Check = (value, where) =>
  isObject(value) && "sec" in value && "nsec" in value ? undefined : wrong(value, where, "a time, { sec, nsec }")

/** An object with these fields; `shape` says so in words. */
const record =
  (shape: string, fields: { readonly [field: string]: Check }): Check =>
  (value, where) => {
    if (!isObject(value) || Array.isArray(value)) return wrong(value, where, shape)
    for (const [field, check] of Object.entries(fields)) {
      const at = where === "" ? field : `${where}.${field}`
      const inside: unknown = Reflect.get(value, field)
      const fault = inside === undefined ? `without ${at}; expected: ${shape}` : check(inside, at)
      if (fault !== undefined) return fault
    }
    return undefined
  }

const attr = record("attributes, { ino, mode, size, blocks, atime, mtime, ctime, nlink, uid, gid, ... }", {
  mode: wholeNumber,
  ino: whole,
  size: whole,
  blocks: whole,
  atime: time,
  mtime: time,
  ctime: time
})
const entry = record("an entry, { nodeid, generation, entryValid, attrValid, attr }", {
  nodeid: whole,
  generation: whole,
  entryValid: time,
  attrValid: time,
  attr
})
const open = record("an open file, { fh, openFlags }", { fh: whole, openFlags: wholeNumber })
const entries = is((value) => isObject(value) && Symbol.iterator in value, "an iterable of directory entries")

const checks: { readonly [Kind in ReplyKind]?: Check } = {
  found: entry,
  entry,
  attributes: record("{ attrValid, attr }", { attrValid: time, attr }),
  opened: open,
  created: record("{ entry, open }", { entry, open }),
  target: name,
  data: is(isObject, "a Uint8Array, or a list of them"),
  written: wholeNumber,
  usage: record("{ blocks, bfree, bavail, files, ffree, bsize, namelen, frsize }", {
    blocks: whole,
    bfree: whole,
    bavail: whole,
    files: whole,
    ffree: whole
  }),
  xattr: is(isObject, "a Uint8Array, or { size }"),
  listing: entries,
  listingPlus: entries,
  lock: record("a lock, { start, end, type, pid }", { start: whole, end: whole }),
  block: whole,
  ioctl: is(isObject, "{ result, data }"),
  events: wholeNumber,
  position: whole,
  copied: whole
}

/** Says what an answer of this kind lacks, `where`, what is there instead and what is expected; undefined when that is not it. */
export const answerFault = (kind: ReplyKind, answer: unknown): string | undefined => {
  try {
    return checks[kind]?.(answer, "")
  } catch {
    // A getter of the answer's threw, as it did when it was encoded.
    return undefined
  }
}
