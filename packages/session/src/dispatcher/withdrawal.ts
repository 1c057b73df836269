/** Answers that came when nobody waited for them any more: what they tell of is given back. */
import { operations, type Request, type U64 } from "@bickford/protocol"
import type { AsyncBackend } from "../Backend.ts"
import type { NodeTable } from "../connection/NodeTable.ts"

/** Of a backend's answer nothing is known but what was asked for. */
const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

const u64Of = (value: unknown): U64 | undefined =>
  typeof value === "number" || typeof value === "bigint" ? value : undefined

const rootId = 1

/** The entry that a successful answer has in it. */
const entryOf = (request: Request, value: unknown): unknown => {
  switch (operations[request.op].reply) {
    case "found":
    case "entry":
      return value
    case "created":
      return fieldOf(value, "entry")
    default:
      return undefined
  }
}

export interface Withdrawal {
  /** Releases what was opened. */
  readonly release: (request: Request, value: unknown) => void
  /** Releases what was opened, and gives back the lookup of an entry. */
  readonly all: (request: Request, value: unknown) => void
}

/** `run`: has the backend do a RELEASE that the kernel never sends. */
export const makeWithdrawal = (
  nodes: NodeTable,
  backend: AsyncBackend,
  run: (request: Request) => void
): Withdrawal => {
  const release = (request: Request, value: unknown): void => {
    if (request.op !== "open" && request.op !== "opendir" && request.op !== "create" && request.op !== "tmpfile") return
    const isOpen = operations[request.op].reply === "opened"
    const fh = u64Of(fieldOf(isOpen ? value : fieldOf(value, "open"), "fh"))
    const nodeid = isOpen ? request.nodeid : u64Of(fieldOf(fieldOf(value, "entry"), "nodeid"))
    if (fh === undefined || nodeid === undefined) return
    const { flags, gid, uid, unique } = request
    run({
      op: request.op === "opendir" ? "releasedir" : "release",
      unique,
      nodeid,
      uid,
      gid,
      pid: 0,
      fh,
      flags,
      releaseFlags: 0,
      lockOwner: 0
    })
  }
  return {
    release,
    all: (request, value) => {
      release(request, value)
      const nodeid = u64Of(fieldOf(entryOf(request, value), "nodeid"))
      if (nodeid === undefined || nodeid === 0 || nodeid === rootId) return
      backend.forget?.(nodeid, 1, nodes.count(nodeid))
    }
  }
}
