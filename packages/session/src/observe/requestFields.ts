/** A request's fields as a log shows them. */
import { limits, type Request } from "@bickford/protocol"

/** Fields of a line, by name. */
export type Fields = { readonly [field: string]: unknown }

const header: ReadonlySet<string> = new Set(["op", "unique", "nodeid", "uid", "gid", "pid"])

/** What is shown of a value: bytes by their number, 64-bit numbers exactly. */
const shown = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === "bigint") return value.toString()
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shown(one)]))
  return value
}

/** A name or path that is no UTF-8 is shown in Latin-1, marked. */
export const shownName = (value: unknown): unknown =>
  value instanceof Uint8Array ? `bytes:${Buffer.from(value).toString("latin1")}` : value

/** What a request holds besides its header. */
export const argumentsOf = (request: Request): Fields =>
  Object.fromEntries(
    Object.entries(request)
      .filter(([key]) => !header.has(key))
      .map(([key, value]) => [key, key.toLowerCase().endsWith("name") ? shownName(value) : shown(value)])
  )

/** Only creations bring their caller's ids where idmapped mounts are allowed. */
export const callerOf = ({ uid }: Request): Fields => (uid === limits.FUSE_INVALID_UIDGID ? {} : { uid })
