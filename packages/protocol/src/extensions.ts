/**
 * Header extensions: the last `total_extlen` * 8 bytes of a creation (7.38). Records of 8 bytes' header
 * (`struct fuse_ext_header`), padded to a multiple of 8 from where the extensions begin.
 */
import { extensionTypes } from "./constants.ts"
import { isDecodeError, malformedRequest } from "./decodeError.ts"
import type { Frame } from "./frame.ts"
import type { DecodeError, Extensions, SecurityContext } from "./messages.ts"
import { findNul, nameBytes, nameFromBytes } from "./name.ts"
import { refuse } from "./refusal.ts"
import { extHeader, secctx, suppGroups } from "./generated/structs.ts"
import type { Writer } from "./writer.ts"

const { FUSE_EXT_GROUPS, FUSE_MAX_NR_SECCTX } = extensionTypes
const aligned = (size: number): number => (size + 7) & ~7

const readContexts = (
  frame: Frame,
  from: number,
  end: number,
  count: number
): ReadonlyArray<SecurityContext> | DecodeError => {
  const contexts: Array<SecurityContext> = []
  let at = from
  for (let index = 0; index < count; index++) {
    if (end - at < secctx.bytes) return malformedRequest(frame, "secctx", at, "cut short")
    const size = frame.view.getUint32(at + secctx.size, true)
    const name = at + secctx.bytes
    const nul = findNul(frame.bytes, name, end)
    if (nul < 0) return malformedRequest(frame, "secctx.name", name, "no NUL ends it")
    if (nul === name) return malformedRequest(frame, "secctx.name", name, "empty")
    const value = nul + 1
    if (size > end - value)
      return malformedRequest(frame, "secctx.size", at, `${size} bytes promised, ${end - value} there`)
    contexts.push({ name: nameFromBytes(frame.bytes, name, nul), value: frame.bytes.slice(value, value + size) })
    at = Math.min(end, at + aligned(value + size - at))
  }
  return contexts
}

const readGroups = (frame: Frame, from: number, end: number): ReadonlyArray<number> | DecodeError => {
  if (end - from < suppGroups.bytes) return malformedRequest(frame, "supp_groups", from, "cut short")
  const count = frame.view.getUint32(from + suppGroups.nrGroups, true)
  const first = from + suppGroups.groups
  if (count > (end - first) / 4)
    return malformedRequest(frame, "nr_groups", from, `${count} groups promised, ${end - first} bytes there`)
  const groups: Array<number> = []
  for (let index = 0; index < count; index++) groups.push(frame.view.getUint32(first + 4 * index, true))
  return groups
}

/** Copies: nothing of the result lies in the frame's memory. Undefined when there are none. */
export const readExtensions = (frame: Frame, from: number): Extensions | undefined | DecodeError => {
  const { end, view } = frame
  if (from === end) return undefined
  let securityContexts: ReadonlyArray<SecurityContext> | undefined
  let supplementaryGroups: ReadonlyArray<number> | undefined
  let at = from
  while (at < end) {
    if (end - at < extHeader.bytes) return malformedRequest(frame, "ext_header", at, "cut short")
    const size = view.getUint32(at + extHeader.size, true)
    const type = view.getUint32(at + extHeader.type, true)
    if (size < extHeader.bytes || size > end - at)
      return malformedRequest(frame, "ext_header.size", at, `${size} bytes, ${end - at} there`)
    const body = at + extHeader.bytes
    if (type <= FUSE_MAX_NR_SECCTX) {
      const contexts = readContexts(frame, body, at + size, type)
      if (isDecodeError(contexts)) return contexts
      securityContexts = contexts
    } else if (type === FUSE_EXT_GROUPS) {
      const groups = readGroups(frame, body, at + size)
      if (isDecodeError(groups)) return groups
      supplementaryGroups = groups
    } else return malformedRequest(frame, "ext_header.type", at + extHeader.type, `${type} is not known`)
    at = Math.min(end, at + aligned(size))
  }
  return {
    ...(securityContexts === undefined ? undefined : { securityContexts }),
    ...(supplementaryGroups === undefined ? undefined : { supplementaryGroups })
  }
}

/** Appends them; the length that goes in `total_extlen`, in units of 8 bytes. */
export const writeExtensions = (writer: Writer, extensions: Extensions): number => {
  const start = writer.length
  const { securityContexts, supplementaryGroups } = extensions
  if (securityContexts !== undefined) {
    if (securityContexts.length > FUSE_MAX_NR_SECCTX) refuse("EIO", `${securityContexts.length} security contexts`)
    const header = writer.grow(extHeader.bytes)
    for (const { name, value } of securityContexts) {
      writer.u32(value.length, "secctx.size")
      writer.u32(0, "padding")
      writer.terminated(nameBytes(name, "a security context's name"))
      writer.data(value)
      writer.align(start)
    }
    writer.view.setUint32(header + extHeader.size, writer.length - header, true)
    writer.view.setUint32(header + extHeader.type, securityContexts.length, true)
  }
  if (supplementaryGroups !== undefined) {
    const header = writer.grow(extHeader.bytes)
    writer.u32(supplementaryGroups.length, "nr_groups")
    for (const group of supplementaryGroups) writer.u32(group, "group")
    writer.align(start)
    writer.view.setUint32(header + extHeader.size, writer.length - header, true)
    writer.view.setUint32(header + extHeader.type, FUSE_EXT_GROUPS, true)
  }
  const units = (writer.length - start) / 8
  if (units > 0xffff) refuse("EIO", `${writer.length - start} bytes of extensions`)
  return units
}
