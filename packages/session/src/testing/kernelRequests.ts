/** What a fake kernel sends, and what goes wrong with it. */
import type { Request, RequestHeader } from "@bickford/protocol"

type Defaulted<R> = R extends RequestHeader ? Omit<R, keyof RequestHeader> & Partial<RequestHeader> : never

/** A request; header fields left out are: a fresh `unique`, node 1, uid and gid 0, pid of this process. */
export type RequestInput = Defaulted<Request>

/** The connection was closed, or a frame of the server's was malformed. */
export interface FakeKernelError {
  readonly _tag: "FakeKernelError"
  readonly message: string
}

/** A fault of the connection or of the server's. */
export const fault = (message: string): FakeKernelError => ({ _tag: "FakeKernelError", message })
