/** Expressions and statements that read and write one field. */
import { fieldOf, isFiller, structOf } from "./abi.ts"
import { type Field, records } from "./spec.ts"

export const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)
export const plus = (base: string, offset: number): string => (offset === 0 ? base : `${base} + ${offset}`)

/** A number's kind on the wire. */
const numberKind = (struct: string, wire: string): "U64" | "S64" | "U32" | "S32" | "U16" => {
  const { signed, size } = fieldOf(struct, wire)
  if (size === 8) return signed ? "S64" : "U64"
  if (size === 4) return signed ? "S32" : "U32"
  if (size === 2 && !signed) return "U16"
  throw new Error(`fuse_${struct}.${wire} has ${size} bytes`)
}

const recordOf = (field: Field) => {
  const record = field.record === undefined ? undefined : records[field.record]
  if (record === undefined) throw new Error(`no record is called ${field.record}`)
  return record
}

/** Where a time's seconds and nanoseconds are: in two fields of the struct, or in a `struct fuse_sx_time`. */
const timeOffsets = (struct: string, { nsec, wire }: Field): readonly [sec: number, nsec: number] => {
  const first = fieldOf(struct, wire).offset
  return nsec === undefined
    ? [first + fieldOf("sx_time", "tv_sec").offset, first + fieldOf("sx_time", "tv_nsec").offset]
    : [first, fieldOf(struct, nsec).offset]
}

export const typeOf = (struct: string, field: Field): string => {
  if (field.kind === "record") return recordOf(field).type
  if (field.kind !== "plain") return "Timespec"
  const kind = numberKind(struct, field.wire)
  return kind === "U64" || kind === "S64" ? kind : "number"
}

const readNumber = (kind: string, at: string): string =>
  kind.endsWith("64")
    ? `get${kind}(view, ${at})`
    : `view.get${kind === "S32" ? "Int32" : kind === "U32" ? "Uint32" : "Uint16"}(${at}, true)`

/** An expression for the field's value; `base` is where the struct begins. */
export const readField = (struct: string, field: Field, base: string): string => {
  const { offset } = fieldOf(struct, field.wire)
  if (field.kind === "record") return `get${capital(field.record ?? "")}(view, ${plus(base, offset)})`
  if (field.kind === "plain") return readNumber(numberKind(struct, field.wire), plus(base, offset))
  const [sec, nsec] = timeOffsets(struct, field)
  const seconds = field.kind === "time" ? "S64" : "U64"
  return `{ sec: ${readNumber(seconds, plus(base, sec))}, nsec: ${readNumber("U32", plus(base, nsec))} }`
}

/** Statements that write the field of `object` by a DataView; `nsec` writes and checks nanoseconds. */
export const writeField = (
  struct: string,
  field: Field,
  object: string,
  nsec: "setU32" | "setNsec"
): ReadonlyArray<string> => {
  const { offset } = fieldOf(struct, field.wire)
  const value = `${object}.${field.name}`
  if (field.kind === "record") return [`put${capital(field.record ?? "")}(view, ${plus("at", offset)}, ${value})`]
  if (field.kind === "plain") {
    return [
      `set${numberKind(struct, field.wire)}(view, ${plus("at", offset)}, ${value}${field.optional ? " ?? 0" : ""}, "${field.wire}")`
    ]
  }
  const [sec, nsecAt] = timeOffsets(struct, field)
  return [
    `${field.kind === "time" ? "setS64" : "setU64"}(view, ${plus("at", sec)}, ${value}.sec, "${field.wire}")`,
    `${nsec}(view, ${plus("at", nsecAt)}, ${value}.nsec, "${field.wire}")`
  ]
}

/** Statements that write the field by words. Numbers of one word and times are variables, checked already. */
export const writeWords = (struct: string, field: Field, object: string): ReadonlyArray<string> => {
  const { offset } = fieldOf(struct, field.wire)
  const word = (bytes: number): string => plus("first", bytes / 4)
  if (field.kind === "record")
    return [`put${capital(field.record ?? "")}(words, ${plus("at", offset)}, ${object}.${field.name})`]
  if (field.kind === "plain") {
    const kind = numberKind(struct, field.wire)
    return kind === "U32"
      ? [`words[${word(offset)}] = ${field.name}`]
      : [`put${kind}(words, ${word(offset)}, ${object}.${field.name}, "${field.wire}")`]
  }
  const [sec, nsec] = timeOffsets(struct, field)
  return [
    `put${field.kind === "time" ? "S64" : "U64"}(words, ${word(sec)}, ${field.name}.sec, "${field.wire}")`,
    `words[${word(nsec)}] = ${field.name}Nsec`
  ]
}

/** Fields that a word-wise writer checks before it writes. */
export const isWord = (struct: string, field: Field): boolean =>
  field.kind === "plain" && numberKind(struct, field.wire) === "U32"

/** The struct's fillers, as ranges of bytes; throws for a field that the message leaves out and that is none. */
export const fillers = (
  struct: string,
  fields: ReadonlyArray<Field>,
  implied: ReadonlyArray<string> = []
): ReadonlyArray<readonly [from: number, to: number]> => {
  const known = new Set([
    ...implied,
    ...fields.flatMap(({ nsec, wire }) => (nsec === undefined ? [wire] : [wire, nsec]))
  ])
  const ranges: Array<readonly [number, number]> = []
  for (const field of structOf(struct).fields) {
    if (known.has(field.name)) continue
    if (!isFiller(field)) throw new Error(`fuse_${struct}.${field.name} is in no message`)
    ranges.push([field.offset, field.offset + field.size])
  }
  return ranges
}

/** Statements that zero the fillers. */
export const zero = (
  ranges: ReadonlyArray<readonly [from: number, to: number]>,
  by: "view" | "words"
): ReadonlyArray<string> =>
  ranges.flatMap(([from, to]) => {
    const step = from % 4 === 0 ? 4 : 2
    const one = (at: string): string =>
      by === "words" ? `words[${at}] = 0` : `view.setUint${step * 8}(${at}, 0, true)`
    if (by === "words")
      return Array.from({ length: (to - from) / 4 }, (_, index) => one(plus("first", from / 4 + index)))
    if ((to - from) / step <= 4)
      return Array.from({ length: (to - from) / step }, (_, index) => one(plus("at", from + index * step)))
    return [`for (let filler = at + ${from}; filler < at + ${to}; filler += ${step}) ${one("filler")}`]
  })

export const lines = (statements: ReadonlyArray<string>, indent: string): string =>
  statements.map((statement) => `${indent}${statement}\n`).join("")
