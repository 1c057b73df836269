/** Extended attributes, POSIX ACLs among them. */
import { errnoNumbers, type Name, type SetxattrRequest, type U64 } from "@bickford/protocol"
import type { Backend, RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { accessAcl, defaultAcl, isAcl, withAclIds } from "../posix/acl.ts"
import { FUSE_SETXATTR_ACL_KILL_SGID, permissionBits, S_ISGID, xattrListMax } from "../posix/linux.ts"
import { answered, failureOf } from "./answers.ts"
import { changingDescriptorOf, descriptorOf, type Served } from "./served.ts"

const { ENOTSUP, EOVERFLOW, ERANGE } = errnoNumbers

/** Takes names out of a list, each of which ends with a NUL: the length of what is left. */
const without = (hidden: ReadonlyArray<Uint8Array>, list: Uint8Array, length: number): number => {
  let kept = 0
  for (let at = 0; at < length;) {
    const end = list.indexOf(0, at) + 1
    const name = list.subarray(at, end)
    if (!hidden.some((prefix) => Buffer.compare(name.subarray(0, prefix.length), prefix) === 0)) {
      list.copyWithin(kept, at, end)
      kept += end - at
    }
    at = end
  }
  return kept
}

const none: ReadonlyArray<Uint8Array> = []
/** For root alone (xattr(7)). */
const trusted: ReadonlyArray<Uint8Array> = [Buffer.from("trusted.")]
const acls: ReadonlyArray<Uint8Array> = [Buffer.from(`${accessAcl}\0`), Buffer.from(`${defaultAcl}\0`)]

export const xattrOperations = (
  served: Served
): Pick<Backend, "setxattr" | "getxattr" | "listxattr" | "removexattr"> => {
  const { attributes, gids, nodes, uids } = served
  const room = new Uint8Array(xattrListMax)
  const nothing = room.subarray(0, 0)
  const idsAreSame = uids.same && gids.same

  const on = (nodeid: U64, call: (fd: number) => number): number => {
    nodes.trim()
    const fd = descriptorOf(served, nodeid)
    return fd < 0 ? fd : call(fd)
  }

  const changing = (nodeid: U64, context: RequestContext, call: (fd: number) => number): number => {
    nodes.trim()
    const fd = changingDescriptorOf(served, nodeid, context)
    return fd < 0 ? fd : call(fd)
  }

  /** An ACL that the kernel does not enforce is none: it is neither shown nor taken. */
  const isRefused = (name: Name): boolean => isAcl(name) && served.negotiated?.posixAcl !== true

  /** setxattr(2) does this for a caller who is not in the file's group; whoever serves has CAP_FSETID, and would keep the bit. */
  const clearSetGroupId = (fd: number): number => {
    const status = files.fs_stat(fd)
    if (status < 0 || (attributes.mode() & S_ISGID) === 0) return status
    return files.fs_chmod(fd, attributes.mode() & permissionBits & ~S_ISGID)
  }

  const set = (fd: number, { flags, name, setxattrFlags, value }: SetxattrRequest): number => {
    const stored = idsAreSame || !isAcl(name) ? value : withAclIds(value, uids.toOutside, gids.toOutside)
    if (stored === undefined) return -EOVERFLOW
    const status = files.fs_setxattr(fd, name, stored, flags)
    return status >= 0 && name === accessAcl && (setxattrFlags & FUSE_SETXATTR_ACL_KILL_SGID) !== 0
      ? clearSetGroupId(fd)
      : status
  }

  /** What was read into the room; its length alone when the caller has no room. */
  const value = (size: number, length: number) =>
    length < 0 ? failureOf(length) : Exit.succeed(size === 0 ? { size: length } : room.subarray(0, length))

  const hiddenFrom = ({ uid }: RequestContext): ReadonlyArray<Uint8Array> => {
    const ofRoot = uid === 0 ? none : trusted
    return served.negotiated?.posixAcl === true ? ofRoot : [...ofRoot, ...acls]
  }

  return {
    setxattr: (request, context) =>
      isRefused(request.name)
        ? failureOf(-ENOTSUP)
        : answered(changing(request.nodeid, context, (fd) => set(fd, request))),
    getxattr: ({ name, nodeid, size }) => {
      if (isRefused(name)) return failureOf(-ENOTSUP)
      const length = on(nodeid, (fd) => files.fs_getxattr(fd, name, size === 0 ? nothing : room.subarray(0, size)))
      if (!idsAreSame && size !== 0 && length > 0 && isAcl(name)) {
        const shown = withAclIds(room.subarray(0, length), uids.toInside, gids.toInside)
        if (shown !== undefined) room.set(shown)
      }
      return value(size, length)
    },
    listxattr: ({ nodeid, size }, context) => {
      const length = on(nodeid, (fd) => files.fs_listxattr(fd, room))
      const hidden = length <= 0 ? none : hiddenFrom(context)
      const seen = hidden === none ? length : without(hidden, room, length)
      return value(size, size !== 0 && seen > size ? -ERANGE : seen)
    },
    removexattr: ({ name, nodeid }, context) =>
      isRefused(name)
        ? failureOf(-ENOTSUP)
        : answered(changing(nodeid, context, (fd) => files.fs_removexattr(fd, name)))
  }
}
