/** The base's nodes by number and by what they are, and the numbers that they have in the branch. */
import { type Name, ownName, type U64 } from "@bickford/protocol"
import type { Attributes, Identity } from "../passthrough/attributes.ts"
import { isSame } from "../passthrough/attributes.ts"
import { rootId } from "../sqlite/storedNodes.ts"
import { BaseNode, noteName } from "./baseNode.ts"
import type { NodeJournal } from "./nodeJournal.ts"
import type { Origins } from "./origins.ts"

/** Base files have their own number where it is smaller; what is made here has one from there on. */
export const firstOwnId = 2 ** 40

export interface BaseNodeParts {
  readonly root: BaseNode
  readonly attributes: Attributes
  readonly origins: Origins
  readonly journal: NodeJournal
  readonly newId: () => number
}

export const makeBaseNodes = ({ attributes, journal, newId, origins, root }: BaseNodeParts) => {
  const byIno = new Map<number, BaseNode>([[rootId, root]])
  const byIdentity = new Map<U64, BaseNode>([[root.identity.ino, root]])

  /** Whether a base file may have its own number: no other file of the branch has it. */
  const isFree = (ino: number, identity: Identity): boolean => {
    const origin = origins.get(ino)
    if (origin !== undefined && origin.identity.birth !== identity.birth) return false
    const node = byIno.get(ino)
    return node === undefined || isSame(node.identity, identity)
  }

  const numberOf = (identity: Identity): number => {
    const { device, ino } = identity
    const own = typeof ino === "number" && ino < firstOwnId && ino !== rootId && device === root.identity.device
    return own && isFree(ino, identity) ? ino : origins.numberOf(identity, newId)
  }

  const register = (node: BaseNode): BaseNode => {
    byIno.set(node.ino, node)
    byIdentity.set(node.identity.ino, node)
    return node
  }

  const record = (node: BaseNode): void => {
    const { identity, ino, name, parent } = node
    if (parent !== undefined) journal.record({ ino, identity, name, parent: parent.ino })
  }

  /** The node of what was just looked at. */
  const meet = (parent: BaseNode, name: Name): BaseNode => {
    const identity = attributes.identity()
    const known = byIdentity.get(identity.ino)
    if (known !== undefined && isSame(known.identity, identity)) {
      if (noteName(known, parent, ownName(name))) record(known)
      return known
    }
    const node = register(new BaseNode(numberOf(identity), identity, parent, ownName(name)))
    record(node)
    return node
  }

  return {
    meet,
    get: (ino: number): BaseNode | undefined => byIno.get(ino),
    all: () => byIno.values(),
    remove: (node: BaseNode): void => {
      byIno.delete(node.ino)
      if (byIdentity.get(node.identity.ino) === node) byIdentity.delete(node.identity.ino)
    }
  }
}
