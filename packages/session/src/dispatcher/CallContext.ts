/** The context of one request: its caller, and which call of which connection it is. */
import { groupsOf, type Ids, idsOf } from "./callerProcess.ts"
import type { Guard } from "./guard.ts"
import type { RequestContext } from "../RequestContext.ts"
import { type Extensions, limits, type Request, type SecurityContext, type U64 } from "@bickford/protocol"

const noContexts: ReadonlyArray<SecurityContext> = []

export class CallContext implements RequestContext {
  readonly unique: U64
  readonly resent: boolean
  readonly connectionId: string
  readonly #request: Request
  #ids: Ids | undefined
  #interrupted = false
  #callbacks: Array<() => void> | undefined
  #aborted = false
  #controller: AbortController | undefined

  constructor(connectionId: string, unique: U64, resent: boolean, request: Request) {
    this.connectionId = connectionId
    this.unique = unique
    this.resent = resent
    this.#request = request
  }

  get uid(): number {
    const { uid } = this.#request
    return uid === limits.FUSE_INVALID_UIDGID ? this.#caller.uid : uid
  }

  get gid(): number {
    const { gid } = this.#request
    return gid === limits.FUSE_INVALID_UIDGID ? this.#caller.gid : gid
  }

  /** The caller that the request does not name. */
  get #caller(): Ids {
    return (this.#ids ??= idsOf(this.pid))
  }

  get pid(): number {
    return this.#request.pid
  }

  get umask(): number {
    return "umask" in this.#request ? this.#request.umask : 0
  }

  get #extensions(): Extensions | undefined {
    return "extensions" in this.#request ? this.#request.extensions : undefined
  }

  get securityContexts(): ReadonlyArray<SecurityContext> {
    return this.#extensions?.securityContexts ?? noContexts
  }

  groups(): ReadonlyArray<number> {
    const seen = groupsOf(this.pid)
    const sent = this.#extensions?.supplementaryGroups
    return sent === undefined ? seen : [...new Set([...sent, ...seen])]
  }

  isInterrupted(): boolean {
    return this.#interrupted
  }

  onInterrupt(callback: () => void): () => void {
    if (this.#interrupted) {
      callback()
      return () => {}
    }
    const callbacks = (this.#callbacks ??= [])
    callbacks.push(callback)
    return () => {
      const index = callbacks.indexOf(callback)
      if (index >= 0) callbacks.splice(index, 1)
    }
  }

  get signal(): AbortSignal {
    const controller = (this.#controller ??= new AbortController())
    if (this.#aborted) controller.abort()
    return controller.signal
  }

  /** The operation is stopped. */
  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#controller?.abort()
  }

  /** The kernel has sent INTERRUPT for this call. */
  interrupt(guard: Guard): void {
    if (this.#interrupted) return
    this.#interrupted = true
    for (const callback of this.#callbacks?.splice(0) ?? []) guard("onInterrupt callback", callback)
  }
}
