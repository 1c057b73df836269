/** POSIX ACLs as extended attributes: acl(5), `include/uapi/linux/posix_acl_xattr.h`. */
import type { Name } from "@bickford/protocol"

export const accessAcl = "system.posix_acl_access"
export const defaultAcl = "system.posix_acl_default"

/** Whether an attribute of this name is an ACL. */
export const isAcl = (name: Name): boolean => name === accessAcl || name === defaultAcl

/** ACL_USER and ACL_GROUP: the tags of entries that name somebody. */
const namedUser = 0x02
const namedGroup = 0x08
const headerBytes = 4
const entryBytes = 8

type MapId = (id: number) => number | undefined

/**
 * A copy of an ACL with other ids of the users and groups that it names; undefined when one of them has none. What
 * is no ACL is left for the filesystem to refuse.
 */
export const withAclIds = (value: Uint8Array, uid: MapId, gid: MapId): Uint8Array | undefined => {
  const copy = value.slice()
  const view = new DataView(copy.buffer)
  for (let at = headerBytes; at + entryBytes <= copy.length; at += entryBytes) {
    const tag = view.getUint16(at, true)
    if (tag !== namedUser && tag !== namedGroup) continue
    const id = (tag === namedUser ? uid : gid)(view.getUint32(at + 4, true))
    if (id === undefined) return undefined
    view.setUint32(at + 4, id, true)
  }
  return copy
}
