/** The recorded frames, and what the codec is to make of them: the recorder's fields under our names. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import type { Version } from "../src/version.ts"
import type { Name, U64 } from "../src/messages.ts"

const folder = new URL("../../../test/golden/", import.meta.url)

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
export type Fields = { readonly [key: string]: Json }

export const readJson = (path: string): Fields =>
  fieldsOf(JSON.parse(readFileSync(new URL(path, folder), "utf8")) as Json)

export const fieldsOf = (value: Json | undefined): Fields => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`not an object: ${JSON.stringify(value)}`)
  return value as Fields
}
export const listOf = (value: Json | undefined): ReadonlyArray<Json> => {
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`)
  return value
}
export const textOf = (value: Json | undefined): string => {
  if (typeof value !== "string") throw new Error(`not a string: ${JSON.stringify(value)}`)
  return value
}
export const numberOf = (value: Json | undefined): number => {
  if (typeof value !== "number") throw new Error(`not a number: ${JSON.stringify(value)}`)
  return value
}

export const bytesOf = (hex: Json | undefined): Uint8Array => new Uint8Array(Buffer.from(textOf(hex), "hex"))

/** A recorded number: 64-bit ones are decimal strings. */
export const exact = (value: Json | undefined): U64 => {
  if (typeof value === "number") return value
  const wide = BigInt(textOf(value))
  return wide >= BigInt(Number.MIN_SAFE_INTEGER) && wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide
}

export const camel = (name: string): string =>
  name.replace(/^_+/, "").replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const frameFiles = readdirSync(new URL("frames/", folder))
  .filter((file) => /^\d.*\.json$/.test(file))
  .toSorted()
export const notificationFiles = readdirSync(new URL("notifications/", folder))
  .filter((file) => /^\d.*\.json$/.test(file))
  .toSorted()

const meaningless = /^(_|padding|dummy|unused|spare|reserved)/

/** A struct's fields that mean something, in camelCase. */
const plain = (struct: Fields): Record<string, unknown> => {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(struct)) {
    if (meaningless.test(name)) continue
    out[camel(name)] = typeof value === "object" && value !== null ? plain(fieldsOf(value)) : exact(value)
  }
  return out
}

/** The kernel's header has times unsigned; they are signed. */
const signed = (value: unknown): unknown =>
  typeof value === "bigint" ? exact(String(BigInt.asIntN(64, value))) : value

const takeTime = (fields: Record<string, unknown>, sec: string, nsec: string): void => {
  fields[sec] = { sec: signed(fields[sec]), nsec: fields[nsec] }
  delete fields[nsec]
}

const attrOf = (struct: Json | undefined): Record<string, unknown> => {
  const fields = plain(fieldsOf(struct))
  for (const time of ["atime", "mtime", "ctime"]) takeTime(fields, time, `${time}nsec`)
  return fields
}

const nameOf = (body: Fields, field: string): Name => {
  const hex = body[`${field}_hex`]
  if (hex === undefined) return textOf(body[field])
  const bytes = bytesOf(hex)
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  return Buffer.from(text, "utf8").equals(bytes) ? text : bytes
}

const operationOf = (opcode: string): string => {
  switch (opcode) {
    case "RENAME2":
      return "rename"
    case "COPY_FILE_RANGE_64":
      return "copyFileRange"
    default:
      return camel(opcode.toLowerCase())
  }
}

const extensionsOf = (recorded: Json | undefined): unknown => {
  const out: Record<string, unknown> = {}
  for (const one of listOf(recorded).map(fieldsOf)) {
    if (one["kind"] === "groups") out["supplementaryGroups"] = listOf(one["groups"]).map(exact)
    else {
      out["securityContexts"] = listOf(one["contexts"])
        .map(fieldsOf)
        .map((context) => ({
          name: nameOf(context, "name"),
          value: bytesOf(context["value_hex"])
        }))
    }
  }
  return out
}

/** Recorded bytes, or the hash that stands for many. */
const dataOf = (body: Fields): Uint8Array | { readonly sha256: string } | undefined => {
  if (body["data_hex"] !== undefined) return bytesOf(body["data_hex"])
  return body["data_sha256"] === undefined ? undefined : { sha256: textOf(body["data_sha256"]) }
}

/** Replaces bytes by their hash where that is what was recorded. */
export const hashed = (value: unknown, like: unknown): unknown =>
  value instanceof Uint8Array && typeof like === "object" && like !== null && "sha256" in like
    ? { sha256: createHash("sha256").update(value).digest("hex") }
    : value

/** The request that the recorded frame is to decode to. */
export const expectedRequest = (frame: Fields): Record<string, unknown> => {
  const opcode = textOf(frame["opcode"])
  const decoded = fieldsOf(frame["decoded"])
  const header = fieldsOf(decoded["header"])
  const body = fieldsOf(decoded["body"])
  const out: Record<string, unknown> = { op: operationOf(opcode) }
  for (const [key, value] of Object.entries(body)) {
    if (key === "fuse_forget_one_array" || key === "fuse_removemapping_one_array") {
      out[key === "fuse_forget_one_array" ? "forgets" : "mappings"] = listOf(value).map((one) => plain(fieldsOf(one)))
      delete out["count"]
    } else if (key.startsWith("fuse_")) {
      const fields = plain(fieldsOf(value))
      switch (key) {
        case "fuse_setattr_in":
          for (const time of ["atime", "mtime", "ctime"]) takeTime(fields, time, `${time}nsec`)
          fields["newUid"] = fields["uid"]
          fields["newGid"] = fields["gid"]
          break
        case "fuse_interrupt_in":
          fields["target"] = fields["unique"]
          break
        case "fuse_setxattr_in":
          delete fields["size"]
          fields["setxattrFlags"] ??= 0
          break
        case "fuse_copy_file_range_in":
          fields["wide"] = opcode === "COPY_FILE_RANGE_64"
          break
        case "fuse_rename_in":
          fields["flags"] = 0
      }
      Object.assign(out, fields)
    } else if (key === "data_hex" || key === "data_sha256") out["data"] = dataOf(body)
    else if (key === "value_hex") out["value"] = bytesOf(value)
    else if (key === "oldname") out["name"] = nameOf(body, key)
    else if (key === "name" || key === "newname" || key === "target") out[key] = nameOf(body, key)
  }
  for (const field of ["unique", "nodeid", "uid", "gid", "pid"]) out[field] = exact(header[field])
  if (decoded["extensions"] !== undefined && listOf(decoded["extensions"]).length > 0)
    out["extensions"] = extensionsOf(decoded["extensions"])
  return out
}

const entryOf = (struct: Json | undefined): Record<string, unknown> => {
  const { attr, ...rest } = fieldsOf(struct)
  const fields = plain(rest)
  takeTime(fields, "entryValid", "entryValidNsec")
  takeTime(fields, "attrValid", "attrValidNsec")
  return { ...fields, attr: attrOf(attr) }
}

const openOf = (struct: Json | undefined): Record<string, unknown> => {
  const fields = plain(fieldsOf(struct))
  if (fields["backingId"] === 0) delete fields["backingId"]
  return fields
}

const direntOf = (struct: Json): Record<string, unknown> => {
  const dirent = fieldsOf(struct)
  return {
    ino: exact(dirent["ino"]),
    off: exact(dirent["off"]),
    type: exact(dirent["type"]),
    name: nameOf(dirent, "name")
  }
}

const statxOf = (struct: Json | undefined): Record<string, unknown> => {
  const { stat, ...rest } = fieldsOf(struct)
  const fields = plain(rest)
  takeTime(fields, "attrValid", "attrValidNsec")
  const inner = plain(fieldsOf(stat))
  for (const time of ["atime", "btime", "ctime", "mtime"]) {
    const { tvNsec, tvSec } = inner[time] as { readonly tvNsec: unknown; readonly tvSec: unknown }
    inner[time] = { sec: tvSec, nsec: tvNsec }
  }
  return { ...fields, stat: inner }
}

/** The value that the recorded reply's body is to decode to; undefined for none. */
export const expectedReply = (body: Fields): unknown => {
  const get = (struct: string) => body[struct]
  if (get("fuse_entry_out") !== undefined && get("fuse_open_out") !== undefined) {
    return { entry: entryOf(get("fuse_entry_out")), open: openOf(get("fuse_open_out")) }
  }
  if (get("fuse_entry_out") !== undefined) return entryOf(get("fuse_entry_out"))
  if (get("fuse_open_out") !== undefined) return openOf(get("fuse_open_out"))
  if (get("fuse_attr_out") !== undefined) {
    const { attr, ...rest } = fieldsOf(get("fuse_attr_out"))
    const fields = plain(rest)
    takeTime(fields, "attrValid", "attrValidNsec")
    return { ...fields, attr: attrOf(attr) }
  }
  if (get("target_hex") !== undefined) return nameOf(body, "target")
  if (get("fuse_write_out") !== undefined) return exact(fieldsOf(get("fuse_write_out"))["size"])
  if (get("fuse_statfs_out") !== undefined) return plain(fieldsOf(get("fuse_statfs_out")))["st"]
  if (get("fuse_getxattr_out") !== undefined) return { size: exact(fieldsOf(get("fuse_getxattr_out"))["size"]) }
  if (get("fuse_lk_out") !== undefined) return plain(fieldsOf(get("fuse_lk_out")))["lk"]
  if (get("fuse_bmap_out") !== undefined) return exact(fieldsOf(get("fuse_bmap_out"))["block"])
  if (get("fuse_poll_out") !== undefined) return exact(fieldsOf(get("fuse_poll_out"))["revents"])
  if (get("fuse_lseek_out") !== undefined) return exact(fieldsOf(get("fuse_lseek_out"))["offset"])
  if (get("fuse_copy_file_range_out") !== undefined)
    return exact(fieldsOf(get("fuse_copy_file_range_out"))["bytes_copied"])
  if (get("fuse_statx_out") !== undefined) return statxOf(get("fuse_statx_out"))
  if (get("fuse_init_out") !== undefined) return plain(fieldsOf(get("fuse_init_out")))
  if (get("fuse_ioctl_out") !== undefined) {
    const result = exact(fieldsOf(get("fuse_ioctl_out"))["result"])
    const data = bytesOf(body["data_hex"] ?? "")
    return data.length === 0 ? { result } : { result, data }
  }
  if (get("dirents") !== undefined) return listOf(get("dirents")).map(direntOf)
  if (get("direntplus") !== undefined) {
    return listOf(get("direntplus"))
      .map(fieldsOf)
      .map((one) => {
        const entry = entryOf(one["entry_out"])
        return { ...direntOf(one["dirent"] ?? null), entry: entry["nodeid"] === 0 ? undefined : entry }
      })
  }
  if (dataOf(body) !== undefined) return dataOf(body)
  if (get("value_hex") !== undefined) return bytesOf(body["value_hex"])
  return undefined
}

/** What the recording session had agreed on. */
export const versionOf = (frame: Fields): Version => {
  const negotiated = fieldsOf(frame["negotiated"])
  return { minor: 45, setxattrExt: negotiated["setxattr_ext"] === true }
}
