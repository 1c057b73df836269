/** Why something on a descriptor or a mountpoint failed: typed by errno, in words a person can act on. */
import { constants } from "node:os"
import { getSystemErrorName } from "node:util"

/** An errno's name, as `EACCES`. */
export type ErrnoTag = Exclude<keyof typeof constants.errno, `WSA${string}`>

/** What fails in ways that have no errno. */
export type TransportTag =
  | ErrnoTag
  /** fusermount3 refused, was killed, or could not be run. */
  | "fusermount_failed"
  /** fusermount3 ended well but sent no descriptor. */
  | "fusermount_no_fd"
  /** The handle was closed, before or while it was waited for. */
  | "select_already_closed"
  | "select_failed"
  /** The file cannot be waited for (epoll refuses regular files). */
  | "select_not_supported"
  /** The mountpoint belongs to a mount whose server is gone (ENOTCONN): detach it first. */
  | "stale_mountpoint"

/** A transport's error with its tag, the call that failed and what to do. */
export interface TransportErrorOf<T extends TransportTag> {
  readonly _tag: T
  /** The system call or program that failed. */
  readonly syscall: string
  /** The positive error number; 0 when there is none. */
  readonly errno: number
  /** The errno's name, else the tag. */
  readonly code: string
  readonly message: string
}

/** Discriminated by `_tag`. */
export type TransportError = { readonly [T in TransportTag]: TransportErrorOf<T> }[TransportTag]

const isErrnoTag = (name: string): name is ErrnoTag => name in constants.errno

/** The name of a positive errno, as `EACCES`. */
export const errnoTag = (errno: number): ErrnoTag => {
  const name = getSystemErrorName(-errno)
  return isErrnoTag(name) ? name : "EIO"
}

/** An error with a tag of ours; `errno` is positive, or 0. */
export const transportError = (tag: TransportTag, syscall: string, errno: number, message: string): TransportError => {
  const error: TransportErrorOf<TransportTag> = { _tag: tag, syscall, errno, code: errno === 0 ? tag : getSystemErrorName(-errno), message }
  // One member of the union, whichever it is; TypeScript cannot follow a tag it does not know.
  return error as TransportError
}

/** The error of a system call that returned `result`, a negative errno. `hint` says what to do about it. */
export const errnoError = (syscall: string, result: number, hint?: string): TransportError => {
  const errno = -result
  const tag = errnoTag(errno)
  return transportError(tag, syscall, errno, hint === undefined ? `${syscall}: ${tag}` : `${syscall}: ${tag}: ${hint}`)
}
