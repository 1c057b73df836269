/** The table's own directories, as they are listed and looked at. */
import type { AttrReply, Dirent, DirentPlus, Entry, Request, U64 } from "@bickford/protocol"
import { min } from "@bickford/protocol/arithmetic"
import type { RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { S_IFDIR } from "../../posix/linux.ts"
import { mapAnswer } from "../operations.ts"
import { cookieAfter, cookieWithin } from "./cookies.ts"
import { childOf, type Folder } from "./folders.ts"
import type { Answer } from "./lacking.ts"
import { type Places, rootId } from "./places.ts"
import { translate } from "./translation.ts"

const epoch = { sec: 0, nsec: 0 }

export const attributesOf = ({ numbers }: Places, folder: Folder): AttrReply => ({
  attrValid: epoch,
  attr: {
    ino: numbers.wrapped(0, folder.index + 1),
    size: 0,
    blocks: 0,
    atime: epoch,
    mtime: epoch,
    ctime: epoch,
    mode: S_IFDIR | 0o555,
    nlink: 2 + folder.children.size,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 4096,
    flags: 0
  }
})

/** A folder of the table, as a name in another: with the attributes that its backend's root has. */
export const entryOf = (places: Places, folder: Folder, request: Request, context: RequestContext): Answer => {
  const made = ({ attr, attrValid }: AttrReply): Entry => ({
    nodeid: places.idOf(folder),
    generation: 0,
    entryValid: attrValid,
    attrValid,
    attr
  })
  if (folder.space === 0) return Exit.succeed(made(attributesOf(places, folder)))
  const { gid, pid, uid, unique } = request
  const asked = places.ask(
    folder.space,
    { op: "getattr", unique, uid, gid, pid, nodeid: rootId, fh: 0, getattrFlags: 0 },
    context
  )
  return mapAnswer(asked, (value) => made(value as AttrReply))
}

function* renumbered(
  { numbers, outerIn }: Places,
  entries: Iterable<Dirent | DirentPlus>,
  space: number
): Generator<DirentPlus, void, undefined> {
  const request: Request = { op: "lookup", unique: 0, nodeid: rootId, uid: 0, gid: 0, pid: 0, name: "" }
  for (const entry of entries) {
    const plus =
      "entry" in entry && entry.entry !== undefined
        ? (translate(numbers, space, outerIn(space), request, entry.entry) as Entry)
        : undefined
    yield { ino: numbers.wrapped(space, entry.ino), off: entry.off, type: entry.type, name: entry.name, entry: plus }
  }
}

function* listed(
  places: Places,
  folder: Folder,
  offset: U64,
  rest: Iterable<Dirent | DirentPlus>,
  space: number
): Generator<DirentPlus, void, undefined> {
  const children = Array.from(folder.children)
  for (let index = Number(min(offset, children.length)); index < children.length; index++) {
    const [name, child] = children[index] ?? ["", folder]
    const ino = child.space === 0 ? attributesOf(places, child).attr.ino : places.numbers.wrapped(child.space, rootId)
    yield { ino, off: index + 1, type: S_IFDIR >>> 12, name, entry: undefined }
  }
  const off = cookieAfter(children.length)
  for (const { entry, ino, name, off: inner, type } of renumbered(places, rest, space)) {
    if (childOf(folder, name) === undefined) yield { ino, off: off(inner), type, name, entry }
  }
}

/** Lists a folder of the table: its own names, then its backend's. */
export const list = (
  places: Places,
  request: Request & { readonly op: "readdir" | "readdirplus" },
  context: RequestContext
): Answer => {
  const { folder, inner, space } = places.locate(request.nodeid)
  const { offset } = request
  const asked = {
    ...request,
    nodeid: inner,
    offset: folder === undefined ? offset : cookieWithin(folder.children.size)(offset)
  }
  const rest = space === 0 ? Exit.succeed([]) : places.ask(space, asked, context)
  return mapAnswer(rest, (value) => {
    const entries = value as Iterable<Dirent | DirentPlus>
    return folder === undefined ? renumbered(places, entries, space) : listed(places, folder, offset, entries, space)
  })
}
