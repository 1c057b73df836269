/** Several backends under one root. */
import { type AttrReply, type Dirent, type DirentPlus, type Entry, type OperationName, operationNames, operations as operationTable, type Request, type U64 } from "@bickford/protocol"
import { min } from "@bickford/protocol/arithmetic"
import { type Backend, type BackendConnection, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { O_EXCL, S_IFDIR } from "../../posix/linux.ts"
import { type AnyOperation, mapAnswer, operationOf } from "../operations.ts"
import { capabilitiesOf, interruptibleOf } from "./capabilities.ts"
import { childOf, type Folder, makeFolders } from "./folders.ts"
import { type Answer, lacking, withoutEnosys } from "./lacking.ts"
import { cookieAfter, cookieWithin } from "./cookies.ts"
import { makeNumbers } from "./numbers.ts"
import { notifyIn, translate } from "./translation.ts"

type Op = OperationName

const rootId = 1
const epoch = { sec: 0, nsec: 0 }
/** True of operations that would put something under a name. */
const takes = (op: Op): boolean => operationTable[op].changesNamespace && (operationTable[op].reply === "entry" || operationTable[op].reply === "created")

/**
 * A backend out of several, by the path where each is: `{ "/": one, "/other": another }`. Folders on the way
 * to a backend are the table's own; they hide what the backend above has under that name. Names of mounts
 * can be neither taken nor taken away (EEXIST, EBUSY), and nothing is renamed or linked from one backend to
 * another (EXDEV). Throws a TypeError for paths that make no sense.
 */
export const mountTable = (mounts: { readonly [path: string]: Backend }): Backend => {
  const { backends, folders, root } = makeFolders(mounts)
  const numbers = makeNumbers(backends.length + 1)
  const rootOf = new Map(folders.filter(({ space }) => space !== 0).map((folder) => [folder.space, folder]))
  const backendOf = (space: number): Backend | undefined => backends[space - 1]
  const durable = backends.length > 0 && backends.every((backend) => backend.durable === true)

  /** The node id of a folder of the table. */
  const idOf = (folder: Folder): U64 => {
    if (folder === root) return rootId
    return (folder.space === 0 ? numbers.outer(0, folder.index) : numbers.outer(folder.space, rootId)) ?? 0
  }

  /** Where a node is: in which backend, there which, and which of the table's folders it is. */
  const locate = (nodeid: U64): { readonly space: number; readonly inner: U64; readonly folder: Folder | undefined } => {
    if (nodeid === rootId) return { space: root.space, inner: rootId, folder: root }
    const space = numbers.spaceOf(nodeid)
    const inner = numbers.inner(nodeid)
    if (space === 0) return { space, inner, folder: folders[Number(inner)] }
    return { space, inner, folder: inner === rootId ? rootOf.get(space) : undefined }
  }

  const outerIn = (space: number) => (inner: U64): U64 => {
    const folder = inner === rootId ? rootOf.get(space) : undefined
    // A node id of 0 is refused before the kernel sees it.
    return folder === undefined ? numbers.outer(space, inner) ?? 0 : idOf(folder)
  }

  const operations = backends.map((backend) => new Map<Op, AnyOperation | undefined>(operationNames.map((name) => [name, operationOf(backend, name)])))

  /** Asks a backend, in its own numbers. */
  const ask = (space: number, request: Request, context: RequestContext): Answer => {
    const backend = backendOf(space)
    const operation = operations[space - 1]?.get(request.op)
    if (backend === undefined || operation === undefined) return lacking(request.op)
    const answer = withoutEnosys(request.op, mapAnswer(operation(request, context), (value) => translate(numbers, space, outerIn(space), request, value)))
    const { commit, delivered } = backend
    if (durable || backend.durable !== true || commit === undefined) return answer
    // In company of backends that are not durable nothing is run again: each answer is committed by itself.
    return Effect.flatMap(Effect.exit(answer), (exit) =>
      Effect.flatMap(commit, () => {
        delivered?.([context.unique])
        return exit
      }))
  }

  const attributesOf = (folder: Folder): AttrReply => ({
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
  const entryOf = (folder: Folder, request: Request, context: RequestContext): Answer => {
    const made = ({ attr, attrValid }: AttrReply): Entry => ({ nodeid: idOf(folder), generation: 0, entryValid: attrValid, attrValid, attr })
    if (folder.space === 0) return Exit.succeed(made(attributesOf(folder)))
    const { gid, pid, uid, unique } = request
    const asked = ask(folder.space, { op: "getattr", unique, uid, gid, pid, nodeid: rootId, fh: 0, getattrFlags: 0 }, context)
    return mapAnswer(asked, (value) => made(value as AttrReply))
  }

  function* listed(folder: Folder, offset: U64, rest: Iterable<Dirent | DirentPlus>, space: number): Generator<DirentPlus, void, undefined> {
    const children = Array.from(folder.children)
    for (let index = Number(min(offset, children.length)); index < children.length; index++) {
      const [name, child] = children[index] ?? ["", folder]
      const ino = child.space === 0 ? attributesOf(child).attr.ino : numbers.wrapped(child.space, rootId)
      yield { ino, off: index + 1, type: S_IFDIR >>> 12, name, entry: undefined }
    }
    const off = cookieAfter(children.length)
    for (const { entry, ino, name, off: inner, type } of renumbered(rest, space)) {
      if (childOf(folder, name) === undefined) yield { ino, off: off(inner), type, name, entry }
    }
  }

  function* renumbered(entries: Iterable<Dirent | DirentPlus>, space: number): Generator<DirentPlus, void, undefined> {
    const request: Request = { op: "lookup", unique: 0, nodeid: rootId, uid: 0, gid: 0, pid: 0, name: "" }
    for (const entry of entries) {
      const plus = "entry" in entry && entry.entry !== undefined ? translate(numbers, space, outerIn(space), request, entry.entry) as Entry : undefined
      yield { ino: numbers.wrapped(space, entry.ino), off: entry.off, type: entry.type, name: entry.name, entry: plus }
    }
  }

  /** Lists a folder of the table: its own names, then its backend's. */
  const list = (request: Request & { readonly op: "readdir" | "readdirplus" }, context: RequestContext): Answer => {
    const { folder, inner, space } = locate(request.nodeid)
    const { offset } = request
    const asked = { ...request, nodeid: inner, offset: folder === undefined ? offset : cookieWithin(folder.children.size)(offset) }
    const rest = space === 0 ? Exit.succeed([]) : ask(space, asked, context)
    return mapAnswer(rest, (value) => {
      const entries = value as Iterable<Dirent | DirentPlus>
      return folder === undefined ? renumbered(entries, space) : listed(folder, offset, entries, space)
    })
  }

  /** What the table itself says of a request; undefined: it is a backend's. */
  const answerHere = (request: Request, folder: Folder | undefined, space: number, context: RequestContext): Answer | undefined => {
    const child = "name" in request ? childOf(folder, request.name) : undefined
    const newParent = request.op === "rename" ? locate(request.newdir) : undefined
    const newChild = request.op === "rename" ? childOf(newParent?.folder, request.newname) : request.op === "link" ? childOf(folder, request.newname) : undefined
    if (child !== undefined && request.op === "lookup") return entryOf(child, request, context)
    if (request.op === "create" && child !== undefined) return (request.flags & O_EXCL) === 0 ? Errno.EISDIR : Errno.EEXIST
    if ((child !== undefined || newChild !== undefined) && takes(request.op)) return Errno.EEXIST
    if ((child !== undefined && (request.op === "unlink" || request.op === "rmdir" || request.op === "rename")) || newChild !== undefined) return Errno.EBUSY
    if (newParent !== undefined && newParent.space !== space) return Errno.EXDEV
    if (request.op === "link" && locate(request.oldnodeid).space !== space) return Errno.EXDEV
    if (request.op === "copyFileRange" && locate(request.nodeidOut).space !== space) return Errno.EXDEV
    if (space !== 0) return undefined
    if (folder === undefined) return Errno.ESTALE
    if (request.op === "lookup") return Errno.ENOENT
    if (request.op === "getattr") return Exit.succeed(attributesOf(folder))
    if (operationTable[request.op].mutates) return Errno.EROFS
    return lacking(request.op)
  }

  const route: AnyOperation = (request, context) => {
    if (request.op === "readdir" || request.op === "readdirplus") return list(request, context)
    const { folder, inner, space } = locate(request.nodeid)
    const here = answerHere(request, folder, space, context)
    if (here !== undefined) return here
    switch (request.op) {
      case "rename":
        return ask(space, { ...request, nodeid: inner, newdir: locate(request.newdir).inner }, context)
      case "link":
        return ask(space, { ...request, nodeid: inner, oldnodeid: locate(request.oldnodeid).inner }, context)
      case "copyFileRange":
        return ask(space, { ...request, nodeid: inner, nodeidOut: locate(request.nodeidOut).inner }, context)
      default:
        return ask(space, { ...request, nodeid: inner }, context)
    }
  }

  // The table's own folders have these, whatever the backends have.
  const own: ReadonlyArray<Op> = ["lookup", "getattr", "opendir", "readdir", "releasedir", "statfs"]
  const routed: { [name: string]: AnyOperation } = {}
  for (const name of operationNames) {
    // What the kernel does without is there for all backends or for none.
    const having = operations.filter((of) => of.get(name) !== undefined).length
    if (own.includes(name) || (operationTable[name].kernelDoesWithout ? having === backends.length && having > 0 : having > 0)) routed[name] = route
  }
  const runs = backends.flatMap(({ run }) => run === undefined ? [] : [run])
  const commits = backends.flatMap(({ commit }) => commit === undefined ? [] : [commit])

  return {
    ...routed,
    capabilities: capabilitiesOf(backends),
    interruptible: interruptibleOf(backends),
    durable,
    ...(runs.length > 0 && { run: Effect.raceAllFirst(runs) }),
    ...(durable && commits.length > 0 && { commit: Effect.asVoid(Effect.all(commits)) }),
    init: (negotiated, connection: BackendConnection) =>
      Effect.asVoid(Effect.forEach(backends, (backend, index) =>
        backend.init?.(negotiated, { ...connection, notify: notifyIn(connection.notify, outerIn(index + 1)) }) ?? Effect.void)),
    destroy: () =>
      Effect.flatMap(Effect.forEach(backends, (backend) => Effect.exit(Effect.suspend(() => backend.destroy?.() ?? Effect.void))), (exits) =>
        exits.find(Exit.isFailure) ?? Effect.void),
    delivered: (uniques) => {
      for (const backend of backends) backend.delivered?.(uniques)
    },
    forget: (nodeid, nlookup, left) => {
      const { inner, space } = locate(nodeid)
      // A backend has never told of its own root.
      if (inner !== rootId) backendOf(space)?.forget?.(inner, nlookup, left)
    }
  }
}
