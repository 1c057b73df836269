/** From a backend's numbers to the table's. */
import type { Attr, Request, U64 } from "@bickford/protocol"
import type { Notify } from "@bickford/session"
import { attrWith, changeReply } from "../replies.ts"
import type { Numbers } from "./numbers.ts"

/** A backend's notifications, in the table's numbers. */
export const notifyIn = (notify: Notify, outer: (inner: U64) => U64): Notify => ({
  ...notify,
  dropAttributes: (nodeid) => notify.dropAttributes(outer(nodeid)),
  invalInode: (nodeid, offset, length) => notify.invalInode(outer(nodeid), offset, length),
  invalEntry: (parent, name, options) => notify.invalEntry(outer(parent), name, options),
  delete: (parent, child, name) => notify.delete(outer(parent), outer(child), name),
  store: (nodeid, offset, data) => notify.store(outer(nodeid), offset, data),
  retrieve: (nodeid, offset, size) => notify.retrieve(outer(nodeid), offset, size),
  prune: (nodeids) => notify.prune(nodeids.map(outer))
})

/** What a backend answers, in the table's numbers. */
export const translate = (
  numbers: Numbers,
  space: number,
  outer: (inner: U64) => U64,
  request: Request,
  value: unknown
): unknown => {
  const ino = (inner: U64): U64 => numbers.wrapped(space, inner)
  const attr = (told: Attr): Attr => attrWith(told, { ino: ino(told.ino) })
  return changeReply(request, value, {
    attr,
    entry: (entry) =>
      entry.nodeid === 0
        ? entry
        : {
            nodeid: outer(entry.nodeid),
            generation: entry.generation,
            entryValid: entry.entryValid,
            attrValid: entry.attrValid,
            attr: attr(entry.attr)
          },
    stat: (stat) => ({ ...stat, ino: ino(stat.ino) })
  })
}
