/** Emits decoders and encoders of requests. */
import { camel, fieldOf, structOf } from "./abi.ts"
import { capital, fillers, lines, plus, readField, writeField } from "./code.ts"
import { type Field, type Part, requests, type RequestSpec } from "./spec.ts"

const functionName = (opcode: string): string => capital(camel(opcode.toLowerCase()))
const typeName = ({ op }: RequestSpec): string => `M.${capital(op)}Request`
const argsSize = ({ compat, struct }: RequestSpec): number =>
  compat?.bytes ?? (struct === undefined ? 0 : structOf(struct).size)
const isExact = ({ compat, extended, parts = [] }: RequestSpec): boolean =>
  parts.length === 0 && extended === undefined && compat?.by !== "frame"
/** The struct's fields that the parts account for. */
const implied = (parts: ReadonlyArray<Part>): ReadonlyArray<string> =>
  parts.flatMap((part) =>
    part.part === "records" ? [part.count] : part.part === "data" && part.implied ? [part.size] : []
  )

const header = ["unique", "nodeid", "uid", "gid", "pid"].map(
  (wire) => `${wire}: ${readField("in_header", { kind: "plain", name: wire, wire }, "header")}`
)

/** Statements that find one part from `from` on, and where the next one begins. */
const decodePart = (
  spec: RequestSpec,
  part: Part,
  from: string,
  end: string,
  isLast: boolean
): readonly [statements: ReadonlyArray<string>, next: string] => {
  const { struct = "" } = spec
  if (part.part === "data") {
    const size = `view.getUint32(${plus("args", fieldOf(struct, part.size).offset)}, true)`
    const variable = part.implied ? size : camel(part.size)
    return [
      [
        ...(part.implied ? [] : [`const ${variable} = ${size}`]),
        `const ${part.name} = dataAfter(f, ${from}, ${variable}, "${part.name}")`,
        `if (isDecodeError(${part.name})) return ${part.name}`
      ],
      end
    ]
  }
  if (part.part === "records") {
    const { size } = structOf(part.struct)
    const type = part.fields.map((field) => `readonly ${field.name}: U64`).join("; ")
    const value = part.fields.map((field) => `${field.name}: ${readField(part.struct, field, "one")}`).join(", ")
    return [
      [
        `const ${part.count} = view.getUint32(${plus("args", fieldOf(struct, part.count).offset)}, true)`,
        `if (${end} - ${from} !== ${part.count} * ${size}) return badCount(f, ${from}, ${part.count}, "${part.what}")`,
        `const ${part.name}: Array<{ ${type} }> = []`,
        `for (let one = ${from}; one < ${end}; one += ${size}) ${part.name}.push({ ${value} })`
      ],
      end
    ]
  }
  const read = part.part === "name" ? "Name" : "Path"
  const fail = `if (${part.name} === undefined) return bad${read}(f, "${part.field ?? part.name}", ${from})`
  if (isLast) return [[`const ${part.name} = last${read}(f, ${from}, ${end})`, fail], end]
  const nul = `${part.name}End`
  return [
    [
      `const ${nul} = findNul(f.bytes, ${from}, ${end})`,
      `const ${part.name} = ${nul} < 0 ? undefined : read${read}(f.bytes, ${from}, ${nul})`,
      fail
    ],
    `${nul} + 1`
  ]
}

const decodeField = (spec: RequestSpec, field: Field): string => {
  const { compat, parts = [], struct = "" } = spec
  const named = parts.some((part) => part.part === "data" && !part.implied && part.size === field.wire)
  if (named) return field.name
  const { offset, size } = fieldOf(struct, field.wire)
  const value = `${field.name}: ${readField(struct, field, "args")}`
  if (compat === undefined || offset < compat.bytes) return value
  if (compat.by === "version") return `${field.name}: ${compat.whole} ? ${readField(struct, field, "args")} : 0`
  const from = offset - compat.bytes
  return `${field.name}: f.end - at >= ${from + size} ? view.getUint32(${plus("at", from)}, true) : 0`
}

const decoder = (opcode: string, spec: RequestSpec): string => {
  const { compat, constants = {}, extended, fields = [], op, parts = [] } = spec
  const end = extended ? "end" : "f.end"
  const statements: Array<string> = extended
    ? ["const end = extensionsAt(f)", "if (end < at) return badExtensions(f)"]
    : []
  let from = "at"
  parts.forEach((part, index) => {
    const [found, next] = decodePart(spec, part, from, end, index === parts.length - 1)
    statements.push(...found)
    from = next
  })
  const names = parts.filter(({ part }) => part === "name" || part === "path").map((part) => part.name)
  const others = parts.filter(({ part }) => part === "data" || part === "records").map((part) => part.name)
  const values = [
    `op: "${op}"`,
    ...header,
    ...names,
    ...Object.entries(constants).map(([name, value]) => `${name}: ${value}`),
    ...fields.map((field) => decodeField(spec, field)),
    ...others
  ]
  const object = `{\n    ${values.join(",\n    ")}\n  }`
  const uses = (name: string): boolean =>
    [...statements, ...values].some((line) => new RegExp(`\\b${name}\\b`).test(line))
  const version = compat?.by === "version"
  const parameters = [
    "f: Frame",
    ...(uses("at") || version ? ["at: number"] : []),
    ...(version ? ["version: Version | undefined"] : [])
  ]
  const result = parts.length > 0 || extended ? `${typeName(spec)} | DecodeError` : typeName(spec)
  return `const decode${functionName(opcode)} = (${parameters.join(", ")}): ${result} => {
  const { ${uses("args") ? "args, " : ""}header, view } = f
${lines(statements, "  ")}  return ${extended ? `extended<${typeName(spec)}>(f, end, ${object})` : object}
}
`
}

const encodePart = (part: Part): ReadonlyArray<string> => {
  const value = `request.${part.name}`
  if (part.part === "name") return [`writer.terminated(nameBytes(${value}))`]
  if (part.part === "path") return [`writer.terminated(pathBytes(${value}, "${part.what}"))`]
  if (part.part === "data") {
    const check = `if (${value}.length !== request.${camel(part.size)}) refuseLength("${part.size}", request.${camel(part.size)}, ${value})`
    return part.implied ? [`writer.data(${value})`] : [check, `writer.data(${value})`]
  }
  const { size } = structOf(part.struct)
  const inner = part.fields.flatMap((field) => writeField(part.struct, field, "one", "setU32"))
  return [
    `for (const one of ${value}) {`,
    `  const at = writer.grow(${size})`,
    "  const { view } = writer",
    ...inner.map((line) => `  ${line}`),
    "}"
  ]
}

const encodeStruct = ({
  compat,
  constants = {},
  fields = [],
  parts = [],
  struct
}: RequestSpec): ReadonlyArray<string> => {
  if (struct === undefined) return []
  // Checks that nothing which means something is left out; `grow` has zeroed the rest.
  fillers(struct, fields, implied(parts))
  const { size } = structOf(struct)
  const own = fields.filter(({ name }) => !(name in constants))
  const lengths = parts.flatMap((part): ReadonlyArray<string> => {
    const counted = part.part === "records" ? part.count : part.part === "data" && part.implied ? part.size : undefined
    return counted === undefined
      ? []
      : [`setU32(view, ${plus("at", fieldOf(struct, counted).offset)}, request.${part.name}.length, "${counted}")`]
  })
  const writes = (chosen: ReadonlyArray<Field>): ReadonlyArray<string> =>
    chosen.flatMap((field) => writeField(struct, field, "request", "setU32"))
  const statements = [
    ...lengths,
    ...writes(own.filter(({ wire }) => compat === undefined || fieldOf(struct, wire).offset < compat.bytes))
  ]
  if (compat === undefined) {
    return statements.length === 0
      ? [`writer.grow(${size})`]
      : [`const at = writer.grow(${size})`, "const { view } = writer", ...statements]
  }
  const later = own.filter(({ wire }) => fieldOf(struct, wire).offset >= compat.bytes)
  return [
    `const whole = ${compat.whole}`,
    `const at = writer.grow(whole ? ${size} : ${compat.bytes})`,
    "const { view } = writer",
    ...statements,
    ...writes(later).map((line) => `if (whole) ${line}`),
    ...later.map(
      ({ name, wire }) => `if (!whole && request.${name} !== 0) refuse("EIO", "${wire} needs a newer kernel")`
    )
  ]
}

const encoder = (opcode: string, spec: RequestSpec): string => {
  const { compat, extended, parts = [] } = spec
  const statements = [...encodeStruct(spec), ...parts.flatMap(encodePart)]
  const version = compat?.by === "version" ? ", version: Version | undefined" : ""
  if (statements.length === 0) return `const encode${functionName(opcode)} = (): number => 0\n`
  const uses = statements.some((line) => line.includes("request."))
  return `const encode${functionName(opcode)} = (${uses || extended ? "request" : "_request"}: ${typeName(spec)}, writer: Writer${version}): number => {
${lines(statements, "  ")}  return ${extended ? "appendExtensions(writer, request)" : "0"}
}
`
}

const row = (opcode: string, spec: RequestSpec): string => {
  const { compat, struct } = spec
  const sized =
    compat?.by === "version"
      ? ` argsSizeOf: (version: Version | undefined) => ${compat.whole} ? ${structOf(struct ?? "").size} : ${compat.bytes},`
      : " argsSizeOf: undefined,"
  const { enosysIsSticky, since, tested = true } = spec
  const sticky = enosysIsSticky === true ? 0 : (enosysIsSticky ?? "Number.POSITIVE_INFINITY")
  return `  ${opcode}: { op: "${spec.op}", since: ${since}, enosysIsStickySince: ${sticky}, tested: ${tested}, argsSize: ${argsSize(spec)},${sized} exact: ${isExact(spec)}, decode: decode${functionName(opcode)}, encode: encode${functionName(opcode)} }`
}

/** `src/generated/requests.ts`. */
export const requestsModule = (): string => {
  const all = Object.entries(requests)
  const code = all.map(([opcode, spec]) => `${decoder(opcode, spec)}\n${encoder(opcode, spec)}`).join("\n")
  const used = (names: ReadonlyArray<string>): string =>
    names.filter((name) => new RegExp(`\\b${name}[(<]`).test(code)).join(", ")
  return `/**
 * Decoders and encoders of requests, by the opcode's name. A decoder makes one object, its fields always in the same
 * order; a name or extension is copied out of the frame, data is a view into it.
 */
import { isDecodeError } from "../decodeError.ts"
import type { Frame } from "../frame.ts"
import type { Version } from "../version.ts"
import type * as M from "./messages.ts"
import type { DecodeError, U64 } from "../primitives.ts"
import { ${used(["findNul", "nameBytes", "pathBytes", "readName", "readPath"])} } from "../name.ts"
import { refuse } from "../refusal.ts"
import {
  ${used(["appendExtensions", "badCount", "badExtensions", "badName", "badPath", "dataAfter", "extended", "extensionsAt", "lastName", "lastPath", "refuseLength"])}
} from "../requestParts.ts"
import { ${used(["getFileLock", "putFileLock"])} } from "./records.ts"
import { ${used(["getS64", "getU64", "setS64", "setU32", "setU64"])} } from "../u64.ts"
import type { Writer } from "../writer.ts"

${code}
/**
 * By the opcode's name, without \`FUSE_\`. \`since\`: the minor version of protocol 7 in which it appeared. \`enosysIsStickySince\`:
 * the one from which the kernel remembers ENOSYS; infinite where it never does.
 */
export const requestCodecs = {
${all.map(([opcode, spec]) => row(opcode, spec)).join(",\n")}
} as const
`
}
