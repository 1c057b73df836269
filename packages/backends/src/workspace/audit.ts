/**
 * Records who changed what, in the transaction of the change: both are kept, or neither. A request that is delivered again is
 * answered from its record in the store, and is not recorded here again.
 */
import type { Name, SetattrRequest, U64, WriteRequest } from "@bickford/protocol"
import { add } from "@bickford/protocol/arithmetic"
import type { RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { DatabaseSync } from "node:sqlite"
import { Inode } from "../posix/inode.ts"
import {
  FATTR_ATIME,
  FATTR_ATIME_NOW,
  FATTR_GID,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID,
  FUSE_WRITE_CACHE
} from "../posix/linux.ts"
import type { ChangingRequest, WatchChanges } from "../sqlite/sqlite.ts"
import type { Transaction } from "../sqlite/transaction.ts"
import { type AuditDetail, type AuditTime, detailText, numberJson, timeJson } from "./auditRecord.ts"
import { type BranchPath, pathBytes, shownPath } from "./branchPath.ts"
import { type Caller, makeCallers } from "./callers.ts"
import { type NodePaths, textOf } from "./nodePaths.ts"

/** A value of an extended attribute that is longer is left out. */
const valueMax = 1024

/** What a request changes: its path, and what it was given. */
interface Told {
  readonly path: BranchPath | undefined
  readonly detail: AuditDetail
}

/** The last record, while a write may go on where it ended. */
interface LastWrite {
  readonly id: number
  readonly caller: Caller
  readonly nodeid: U64
  readonly start: U64
  end: U64
}

const madeMode = (answer: unknown): number | undefined => {
  if (answer instanceof Inode) return answer.mode
  const entry: unknown = typeof answer === "object" && answer !== null && "entry" in answer ? answer.entry : undefined
  return entry instanceof Inode ? entry.mode : undefined
}

const timeOf = (valid: number, given: number, now: number, time: SetattrRequest["atime"]): AuditTime | undefined =>
  (valid & given) === 0 ? undefined : (valid & now) !== 0 ? "now" : timeJson(time)

const setDetail = ({ atime, mode, mtime, newGid, newUid, size, valid }: SetattrRequest): AuditDetail => {
  const setAtime = timeOf(valid, FATTR_ATIME, FATTR_ATIME_NOW, atime)
  const setMtime = timeOf(valid, FATTR_MTIME, FATTR_MTIME_NOW, mtime)
  return {
    ...((valid & FATTR_MODE) === 0 ? {} : { mode }),
    ...((valid & FATTR_UID) === 0 ? {} : { uid: newUid }),
    ...((valid & FATTR_GID) === 0 ? {} : { gid: newGid }),
    ...((valid & FATTR_SIZE) === 0 ? {} : { size: numberJson(size) }),
    ...(setAtime === undefined ? {} : { atime: setAtime }),
    ...(setMtime === undefined ? {} : { mtime: setMtime })
  }
}

const isSameCaller = (one: Caller, other: Caller): boolean =>
  one.pid === other.pid && one.uid === other.uid && one.program === other.program

/** The node that a path may lead to, as the requests name it. */
const nodeOf = (nodeid: U64): number => Number(nodeid)

const from = (path: BranchPath | undefined): AuditDetail => (path === undefined ? {} : { from: shownPath(path) })

/** Tells of a request that has succeeded. */
const tell = (paths: NodePaths, request: ChangingRequest, answer: unknown): Told => {
  const node = nodeOf(request.nodeid)
  const within = (name: Name, parent = node): BranchPath | undefined => paths.at({ parent, name: textOf(name) })
  switch (request.op) {
    case "create":
    case "mkdir":
      return { path: within(request.name), detail: { mode: madeMode(answer) ?? request.mode } }
    case "mknod":
      return { path: within(request.name), detail: { mode: madeMode(answer) ?? request.mode, rdev: request.rdev } }
    case "symlink":
      return { path: within(request.name), detail: { target: request.target } }
    case "tmpfile":
      return { path: undefined, detail: { mode: madeMode(answer) ?? request.mode } }
    case "link": {
      const source = paths.find(nodeOf(request.oldnodeid), { parent: node, name: textOf(request.newname) })
      return { path: within(request.newname), detail: from(source) }
    }
    case "unlink":
    case "rmdir":
      return { path: within(request.name), detail: {} }
    case "rename": {
      const to = within(request.newname, nodeOf(request.newdir))
      const { flags } = request
      const detail = { ...(to === undefined ? {} : { to: shownPath(to) }), ...(flags === 0 ? {} : { flags }) }
      return { path: within(request.name), detail }
    }
    case "write":
      return {
        path: paths.find(node),
        detail: { offset: numberJson(request.offset), length: typeof answer === "number" ? answer : request.size }
      }
    case "setattr":
      return { path: paths.find(node), detail: setDetail(request) }
    case "fallocate": {
      const { length, mode, offset } = request
      const range = { offset: numberJson(offset), length: numberJson(length) }
      return { path: paths.find(node), detail: mode === 0 ? range : { flags: mode, ...range } }
    }
    case "copyFileRange":
      return {
        path: paths.find(nodeOf(request.nodeidOut)),
        detail: {
          ...from(paths.find(node)),
          fromOffset: numberJson(request.offIn),
          offset: numberJson(request.offOut),
          length: typeof answer === "number" ? answer : numberJson(request.len)
        }
      }
    case "setxattr": {
      const { name, value } = request
      const kept = value.length > valueMax ? {} : { value: Buffer.from(value).toString("hex") }
      return { path: paths.find(node), detail: { name, ...kept } }
    }
    case "removexattr":
      return { path: paths.find(node), detail: { name: request.name } }
  }
}

export type Audit = ReturnType<typeof makeAudit>

export const makeAudit = (db: DatabaseSync, transaction: Transaction, paths: NodePaths) => {
  const callers = makeCallers()
  const insert = db.prepare(
    "INSERT INTO audit (time, pid, uid, program, op, path, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
  )
  const lengthen = db.prepare("UPDATE audit SET detail = ? WHERE id = ?")
  let last: LastWrite | undefined

  /** Whether a write goes on where the last record's ended, which then has it too. */
  const goesOn = (request: WriteRequest, caller: Caller): boolean => {
    if (last === undefined || last.nodeid !== request.nodeid || last.end !== request.offset) return false
    if (!isSameCaller(last.caller, caller)) return false
    last.end = add(last.end, request.size)
    const length = numberJson(Number(last.end) - Number(last.start))
    lengthen.run(detailText({ offset: numberJson(last.start), length }), last.id)
    return true
  }

  const record = (request: ChangingRequest, context: RequestContext, answer: unknown): void => {
    // What is written back from the page cache is nobody's.
    const isCached = request.op === "write" && (request.writeFlags & FUSE_WRITE_CACHE) !== 0
    const caller = callers.of(isCached ? 0 : context.pid)
    transaction.begin()
    if (request.op === "write" && goesOn(request, caller)) return
    const { detail, path } = tell(paths, request, answer)
    const { lastInsertRowid } = insert.run(
      Date.now(),
      caller.pid,
      caller.uid ?? null,
      caller.program,
      request.op,
      path === undefined ? null : pathBytes(path),
      detailText(detail)
    )
    last =
      request.op === "write"
        ? {
            id: Number(lastInsertRowid),
            caller,
            nodeid: request.nodeid,
            start: request.offset,
            end: add(request.offset, request.size)
          }
        : undefined
    if (request.op === "rename") paths.forget()
    else if (request.op === "rmdir" && path !== undefined) paths.forgetDirectory(path)
  }

  const watch: WatchChanges = (operation) => (request, context) => {
    const exit = operation(request, context)
    if (Exit.isExit(exit) && Exit.isSuccess(exit)) record(request, context, exit.value)
    return exit
  }

  return {
    watch,
    /** What was recorded since the last commit did not happen. */
    rolledBack: (): void => {
      last = undefined
      paths.forget()
    },
    close: callers.close
  }
}
