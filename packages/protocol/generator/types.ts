/** Emits the messages' types, and models of them for property tests. */
import { fieldOf } from "./abi.ts"
import { capital, typeOf } from "./code.ts"
import { commonDocs, type Field, type Part, records, requests, type RequestSpec } from "./spec.ts"

const member = (name: string, type: string, doc: string | undefined, optional = false): string =>
  `${doc === undefined ? "" : `  /** ${doc} */\n`}  readonly ${name}${optional ? "?" : ""}: ${type}\n`

const fieldMember = (struct: string, field: Field): string =>
  member(field.name, typeOf(struct, field), field.doc ?? commonDocs[field.wire], field.optional)

const partType = (part: Part): string =>
  part.part === "data"
    ? "Uint8Array"
    : part.part === "records"
      ? `ReadonlyArray<{ ${part.fields.map(({ name }) => `readonly ${name}: U64`).join("; ")} }>`
      : "Name"
const docOf = (part: Part): string | undefined => (part.part === "records" ? undefined : part.doc)

/** One spec for each operation: of two opcodes that share one, the later, which has all the fields. */
const operations = (): ReadonlyArray<RequestSpec> => [
  ...new Map(Object.values(requests).map((spec) => [spec.op, spec])).values()
]

const constantType = (value: string): string => (value === "true" || value === "false" ? "boolean" : "number")

const requestType = (spec: RequestSpec): string => {
  const { constants = {}, doc, extended, fields = [], op, parts = [], struct = "" } = spec
  const of = Object.entries(requests)
    .filter(([, other]) => other.op === op)
    .map(([opcode]) => opcode)
  const names = parts.filter(({ part }) => part === "name" || part === "path")
  const others = parts.filter(({ part }) => part === "data" || part === "records")
  return `/** ${doc ?? `${of.join(", ")}.`} */
export interface ${capital(op)}Request extends RequestHeader {
  readonly op: "${op}"
${names.map((part) => member(part.name, "Name", docOf(part))).join("")}${Object.entries(constants)
    .map(([name, value]) => member(name, constantType(value), undefined))
    .join(
      ""
    )}${fields.map((field) => fieldMember(struct, field)).join("")}${others.map((part) => member(part.name, partType(part), docOf(part))).join("")}${
    extended ? "  readonly extensions?: Extensions\n" : ""
  }}
`
}

/** `src/generated/messages.ts`. */
export const messagesModule = (): string => {
  const types = Object.values(records).map(
    ({ doc, fields, struct, type }) => `/** \`struct fuse_${struct}\`.${doc === undefined ? "" : ` ${doc}`} */
export interface ${type} {
${fields.map((field) => fieldMember(struct, field)).join("")}}
`
  )
  return `/** Requests and the structs of replies as plain objects. */
import type { Extensions, Name, RequestHeader, Timespec, U64 } from "../primitives.ts"

${types.join("\n")}
${operations().map(requestType).join("\n")}
/** Any request. */
export type Request =
${operations()
  .map(({ op }) => `  | ${capital(op)}Request`)
  .join("\n")}
`
}

const arbitraryOf = (struct: string, field: Field, isRequest: boolean): string => {
  if (field.kind === "record") return isRequest ? `any${capital(field.record ?? "")}` : (field.record ?? "")
  if (field.kind !== "plain") return isRequest ? "anyTime" : field.kind
  if (field.domain !== undefined && !isRequest) return field.domain
  const { signed, size } = fieldOf(struct, field.wire)
  return `${signed ? "s" : "u"}${size * 8}`
}

const model = (entries: ReadonlyArray<readonly [name: string, arbitrary: string]>): string =>
  entries.length === 0
    ? "{}"
    : `{ ${entries.map(([name, arbitrary]) => (name === arbitrary ? name : `${name}: ${arbitrary}`)).join(", ")} }`

const partModel = (part: Part): readonly [string, string] => [
  part.name,
  part.part === "data"
    ? "bytes(300)"
    : part.part === "records"
      ? `fc.array(fc.record(${model(part.fields.map((field) => [field.name, arbitraryOf(part.struct, field, true)]))}), { maxLength: 50 })`
      : part.part
]

const requestModel = (spec: RequestSpec): string => {
  const { constants = {}, extended, fields = [], op, parts = [], struct = "" } = spec
  const entries: ReadonlyArray<readonly [string, string]> = [
    ...parts.map(partModel),
    ...Object.entries(constants).map(([name, value]): readonly [string, string] => [
      name,
      constantType(value) === "boolean" ? "fc.boolean()" : "u32"
    ]),
    ...fields.map((field): readonly [string, string] => [field.name, arbitraryOf(struct, field, true)])
  ]
  const sized = parts.flatMap((part) =>
    part.part === "data" && !part.implied
      ? [`["${part.size.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}", "${part.name}"]`]
      : []
  )
  return `  ${op}: { fields: ${model(entries)}, sized: ${sized[0] ?? "undefined"}, extended: ${extended ?? false} }`
}

/** `test/generated/models.ts`. */
export const modelsModule = (): string => {
  const modelled = Object.entries(records).filter(([name]) => !["open", "fileLock", "ioctlHead"].includes(name))
  const structs = modelled.map(
    ([name, { fields, inner, struct, type }]) =>
      `${inner ? "" : "export "}const ${name}: fc.Arbitrary<M.${type}> = fc.record(${model(fields.map((field) => [field.name, arbitraryOf(struct, field, false)]))})`
  )
  const code = [...structs, ...operations().map(requestModel)].join("\n")
  const used = (names: ReadonlyArray<string>): string =>
    names.filter((name) => new RegExp(`\\b${name}\\b`).test(code)).join(", ")
  return `/** Models of the messages for property tests: every field at its extremes. */
import * as fc from "fast-check"
import type * as M from "../../src/messages.ts"
import { ${used(["anyFileLock", "anyTime", "bytes", "duration", "mode", "name", "offset", "path", "s32", "s64", "time", "u16", "u32", "u64"])} } from "../primitives.ts"

${structs.join("\n")}

/** By operation. \`sized\`: the field that counts the bytes of another. */
export const requestModels = {
${operations().map(requestModel).join(",\n")}
} as const
`
}
