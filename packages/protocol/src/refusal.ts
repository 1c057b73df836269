/** What the encoder will not send: a value that the protocol has no bytes for, or that would harm the kernel. */
import type { ErrnoName } from "./errno.ts"

/** Why a reply cannot be sent, and the error to send in its place. */
export interface ReplyRefusal {
  readonly _tag: "ReplyRefusal"
  readonly errno: ErrnoName
  readonly reason: string
}

class Refusal implements ReplyRefusal {
  readonly _tag = "ReplyRefusal"
  readonly errno: ErrnoName
  readonly reason: string
  constructor(errno: ErrnoName, reason: string) {
    this.errno = errno
    this.reason = reason
  }
}

export const isReplyRefusal = (value: unknown): value is ReplyRefusal => value instanceof Refusal

const refusal = (errno: ErrnoName, reason: string): ReplyRefusal => new Refusal(errno, reason)

/** Leaves the encoder; caught by its public functions, which return the refusal. */
export function refuse(errno: ErrnoName, reason: string): never {
  throw new Refusal(errno, reason)
}

const wording = (defect: unknown): string => (defect instanceof Error ? defect.message : String(defect))

/** The refusal for whatever was thrown while a backend's value was encoded: its getters and iterators are not ours. */
export const refusalOf = (thrown: unknown): ReplyRefusal => {
  try {
    return isReplyRefusal(thrown) ? thrown : refusal("EIO", wording(thrown))
  } catch {
    // Even to look at what was thrown can throw.
    return refusal("EIO", "what cannot be looked at was thrown")
  }
}

/** A request or notification that has no bytes. */
export interface EncodeError {
  readonly _tag: "EncodeError"
  readonly errno: ErrnoName
  readonly message: string
}
export const isEncodeError = (value: object): value is EncodeError => "errno" in value && "message" in value

export const encodeErrorOf = (thrown: unknown): EncodeError => {
  const { errno, reason } = refusalOf(thrown)
  return { _tag: "EncodeError", errno, message: reason }
}
