/** Emits readers and writers of the structs that replies are made of. */
import { capital, fillers, isWord, lines, readField, writeField, writeWords, zero } from "./code.ts"
import { records, type RecordSpec } from "./spec.ts"

const exported = (inner: true | undefined): string => (inner ? "" : "export ")

const viewWriter = (name: string, { fields, inner, struct, type }: RecordSpec): string => {
  const statements = [
    ...fields.flatMap((field) => writeField(struct, field, "value", "setNsec")),
    ...zero(fillers(struct, fields), "view")
  ]
  return `/** Writes \`struct fuse_${struct}\` at \`at\`; refuses numbers that its fields cannot hold. */
${exported(inner)}const put${capital(name)} = (view: DataView, at: number, value: ${type}): void => {
${lines(statements, "  ")}}
`
}

/** All the words are looked at in one condition, and then stored: half the time of one after the other. */
const wordWriter = (name: string, { fields, inner, struct, type }: RecordSpec): string => {
  const words = fields.filter((field) => isWord(struct, field))
  const times = fields.filter(({ kind }) => kind === "time" || kind === "duration")
  const bad = [
    ...words.map((field) => `${field.name} >>> 0 !== ${field.name}`),
    ...times.map((field) => `isNoNsec(${field.name}Nsec)`)
  ]
  const checks = [
    ...times.map((field) => `checkNsec(value.${field.name}.nsec, "${field.wire}")`),
    ...words.map((field) => `checkU32(value.${field.name}, "${field.wire}")`)
  ]
  const statements = [
    ...fields.flatMap((field) => writeWords(struct, field, "value")),
    ...zero(fillers(struct, fields), "words")
  ]
  const picked = [...words, ...times].map((field) => field.name).toSorted()
  return `const refuse${capital(name)} = (value: ${type}): never => {
${lines(checks, "  ")}  return refuse("EIO", "the reply changed while it was read")
}

/** Writes \`struct fuse_${struct}\` at the whole word \`at\`; refuses numbers that its fields cannot hold. */
${exported(inner)}const put${capital(name)} = (words: Uint32Array, at: number, value: ${type}): void => {
  const { ${picked.join(", ")} } = value
${lines(
  times.map((field) => `const ${field.name}Nsec = ${field.name}.nsec`),
  "  "
)}  if (
    ${bad.join(" ||\n    ")}
  ) refuse${capital(name)}(value)
  const first = at >> 2
${lines(statements, "  ")}}
`
}

const reader = (name: string, { fields, inner, struct, type }: RecordSpec): string => {
  const always = fields.filter(({ optional }) => optional === undefined)
  const rest = fields.filter(({ optional }) => optional === true)
  const read = always.map((field) => `${field.name}: ${readField(struct, field, "at")}`)
  const head = `/** Reads \`struct fuse_${struct}\` at \`at\`. */\n${exported(inner)}const get${capital(name)} = (view: DataView, at: number): ${type} => `
  if (rest.length === 0) return `${head}({\n  ${read.join(",\n  ")}\n})\n`
  const variables = rest.map((field) => `const ${field.name} = ${readField(struct, field, "at")}`)
  const spread = rest.map(({ name: optional }) => `...(${optional} === 0 ? undefined : { ${optional} })`)
  return `${head}{\n${lines(variables, "  ")}  return {\n    ${[...read, ...spread].join(",\n    ")}\n  }\n}\n`
}

/** `src/generated/records.ts`. */
export const recordsModule = (): string => {
  const all = Object.entries(records)
  const code = all
    .map(([name, record]) => `${(record.words ? wordWriter : viewWriter)(name, record)}\n${reader(name, record)}`)
    .join("\n")
  const used = (names: ReadonlyArray<string>): string => names.filter((name) => code.includes(`${name}(`)).join(", ")
  return `/** The structs that replies are made of, read from memory and written to it. */
import type { ${[...new Set(all.map(([, { type }]) => type))].toSorted().join(", ")} } from "./messages.ts"
import { refuse } from "../refusal.ts"
import { ${used(["checkNsec", "checkU32", "getS64", "getU64", "isNoNsec", "putS64", "putU64", "setNsec", "setS32", "setS64", "setU16", "setU32", "setU64"])} } from "../u64.ts"

${code}`
}
