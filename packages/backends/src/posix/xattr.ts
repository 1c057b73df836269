/** Extended attributes: which names there can be, and one file's values (xattr(7)). */
import { type Name, nameKey, nameLength, ownName } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import { XATTR_CREATE, XATTR_REPLACE, xattrListMax, xattrValueMax } from "./linux.ts"

/** Bytes of all values of one file. */
const valuesMax = 16 * xattrValueMax

interface Xattr {
  readonly name: Name
  readonly value: Uint8Array
}

/** By `nameKey`. */
export type Xattrs = Map<string, Xattr>

const text = (name: Name): string =>
  typeof name === "string" ? name : Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1")

const namespaces = ["user.", "trusted.", "security."]

/** Why a name can never be an attribute's, if so. `system.` is left out: there are no ACLs. */
export const refusedName = (name: Name) => {
  const spelled = text(name)
  const namespace = namespaces.find((prefix) => spelled.startsWith(prefix))
  if (namespace === undefined) return Errno.ENOTSUP
  return spelled.length === namespace.length ? Errno.EINVAL : undefined
}

/** The value, for whom it may be seen: `trusted.` is root's. */
export const getXattr = (xattrs: Xattrs | undefined, name: Name, uid: number): Uint8Array | undefined =>
  uid !== 0 && text(name).startsWith("trusted.") ? undefined : xattrs?.get(nameKey(name))?.value

/** Why a value cannot be set, if so. */
export const refusedValue = (xattrs: Xattrs | undefined, name: Name, value: Uint8Array, flags: number) => {
  if (value.length > xattrValueMax) return Errno.E2BIG
  const old = xattrs?.get(nameKey(name))
  if (old !== undefined && (flags & XATTR_CREATE) !== 0) return Errno.EEXIST
  if (old === undefined && (flags & XATTR_REPLACE) !== 0) return Errno.ENODATA
  let values = value.length - (old?.value.length ?? 0)
  let names = old === undefined ? nameLength(name) + 1 : 0
  for (const each of xattrs?.values() ?? []) {
    values += each.value.length
    names += nameLength(each.name) + 1
  }
  return values > valuesMax || names > xattrListMax ? Errno.ENOSPC : undefined
}

/** Sets a value, which is copied. */
export const putXattr = (xattrs: Xattrs, name: Name, value: Uint8Array): void => {
  xattrs.set(nameKey(name), { name: ownName(name), value: new Uint8Array(value) })
}

/** All names that `uid` may see, each followed by a NUL, as listxattr(2) gives them. */
export const listXattrs = (xattrs: Xattrs | undefined, uid: number): Uint8Array => {
  if (xattrs === undefined) return new Uint8Array(0)
  const parts: Array<Uint8Array> = []
  const nul = new Uint8Array(1)
  for (const { name } of xattrs.values()) {
    if (uid !== 0 && text(name).startsWith("trusted.")) continue
    parts.push(typeof name === "string" ? Buffer.from(name) : name, nul)
  }
  return Buffer.concat(parts)
}
