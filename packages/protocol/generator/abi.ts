/** The kernel's structs and numbers, as `test/golden/fuse-abi.json` records them from `include/uapi/linux/fuse.h`. */
import { readFileSync } from "node:fs"

/** One field of a struct. */
export interface AbiField {
  readonly name: string
  /** Bytes from the struct's start. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  readonly signed: boolean
  /** In C; `struct fuse_...` for a nested one. */
  readonly type: string
  readonly array?: boolean
}

/** One struct. */
export interface AbiStruct {
  /** Bytes. */
  readonly size: number
  readonly fields: ReadonlyArray<AbiField>
}

interface Abi {
  readonly protocol: { readonly major: number; readonly minor: number }
  readonly opcodes: Readonly<Record<string, number>>
  readonly ioctls: Readonly<Record<string, { readonly value: number; readonly hex: string }>>
  readonly uring_cmds: Readonly<Record<string, number>>
  readonly structs: Readonly<Record<string, AbiStruct>>
}

export const root = new URL("../../../", import.meta.url)

export const abi = JSON.parse(readFileSync(new URL("test/golden/fuse-abi.json", root), "utf8")) as Abi

/** A name of the kernel's header in camelCase, without leading underscores. */
export const camel = (name: string): string =>
  name.replace(/^_+/, "").replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The struct of the kernel's name without `fuse_`. Throws when the header has none. */
export const structOf = (name: string): AbiStruct => {
  const struct = abi.structs[`fuse_${name}`]
  if (struct === undefined) throw new Error(`fuse.h has no struct fuse_${name}`)
  return struct
}

/** Throws when the struct has no such field. */
export const fieldOf = (struct: string, name: string): AbiField => {
  const field = structOf(struct).fields.find((candidate) => candidate.name === name)
  if (field === undefined) throw new Error(`struct fuse_${struct} has no field ${name}`)
  return field
}

/** Fields that carry nothing. */
export const isFiller = ({ name }: AbiField): boolean => /^(_|padding|dummy|unused|spare|reserved)/.test(name)
