/** The context of one request: its caller, and which call of which connection it is. */
import { readFileSync } from "node:fs"
import type { RequestContext } from "../RequestContext.ts"
import type { Request, U64 } from "../protocol/messages.ts"

const none: ReadonlyArray<number> = []

/** The `Groups:` line of `/proc/PID/status` (proc(5)); empty when the caller is gone or not ours to see. */
const groupsOf = (pid: number): ReadonlyArray<number> => {
  if (pid === 0) return none
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1")
  } catch {
    return none
  }
  const line = /^Groups:\s*(.*)$/m.exec(status)?.[1]?.trim()
  return line === undefined || line === "" ? none : line.split(/\s+/).map(Number)
}

export class CallContext implements RequestContext {
  readonly unique: U64
  readonly resent: boolean
  readonly connectionId: string
  readonly #request: Request

  constructor(connectionId: string, unique: U64, resent: boolean, request: Request) {
    this.connectionId = connectionId
    this.unique = unique
    this.resent = resent
    this.#request = request
  }

  get uid(): number {
    return this.#request.uid
  }

  get gid(): number {
    return this.#request.gid
  }

  get pid(): number {
    return this.#request.pid
  }

  groups(): ReadonlyArray<number> {
    return groupsOf(this.pid)
  }
}
