/** Why something on a descriptor or a mountpoint failed: typed by errno, in words a person can act on. */
import * as Data from "effect/Data"
import { constants } from "node:os"
import { getSystemErrorName } from "node:util"

/** An errno's name, as `EACCES`. */
export type ErrnoTag = Exclude<keyof typeof constants.errno, `WSA${string}`>

/** Why a handle cannot be waited for. */
type SelectTag =
  /** The handle was closed, before or while it was waited for. */
  | "select_already_closed"
  /** Anything else: somebody waits for the handle already (EBUSY), or epoll failed. */
  | "select_failed"
  /** The file cannot be waited for (epoll refuses regular files). */
  | "select_not_supported"

/** Why the helper gave no device. */
type FusermountTag =
  /** The helper sent something that is no descriptor, failed after it sent one, hung, or could not be run. To unmount: refused. */
  | "fusermount_failed"
  /** The helper ended without sending anything: no such mountpoint, or options that the kernel or the helper rejects. */
  | "fusermount_no_fd"

/** What can fail: a system call by its errno, the rest by a name. */
export type TransportTag =
  | ErrnoTag
  | SelectTag
  | FusermountTag
  /** The mountpoint belongs to a mount whose server is gone (ENOTCONN): detach it first. */
  | "stale_mountpoint"

/** A transport's error with its tag, the call that failed and what to do. */
export interface TransportErrorOf<T extends TransportTag> extends Error {
  readonly _tag: T
  /** The system call or program that failed. */
  readonly syscall: string
  /** The positive error number; 0 when there is none. */
  readonly errno: number
  /** The errno's name, else the tag. */
  readonly code: string
}

/** As `TransportErrorOf`, with what the helper printed. */
export interface FusermountErrorOf<T extends FusermountTag> extends TransportErrorOf<T> {
  /** What the helper printed, on standard output and error: the first 8 KiB. */
  readonly output: string
}

/** The error of a system call, tagged with its errno. */
export type SystemCallError = { readonly [T in ErrnoTag]: TransportErrorOf<T> }[ErrnoTag]

/** The error of a wait. */
export type SelectError = { readonly [T in SelectTag]: TransportErrorOf<T> }[SelectTag]

/** The error of `fusermount3`, with what it printed. */
export type FusermountError = { readonly [T in FusermountTag]: FusermountErrorOf<T> }[FusermountTag]

/** Discriminated by `_tag`. */
export type TransportError = SystemCallError | SelectError | FusermountError | TransportErrorOf<"stale_mountpoint">

const isErrnoTag = (name: string): name is ErrnoTag => name in constants.errno

/** The name of a positive errno, as `EACCES`. */
export const errnoTag = (errno: number): ErrnoTag => {
  const name = getSystemErrorName(-errno)
  return isErrnoTag(name) ? name : "EIO"
}

/** One class for all tags: which one it is says `_tag`, as the errors of each system call need no class of their own. */
class TransportFailure<T extends TransportTag> extends Data.Error<{
  readonly _tag: TransportTag
  readonly syscall: string
  readonly errno: number
  readonly code: string
  readonly message: string
}> {
  override readonly name = "TransportError"
  declare readonly _tag: T
}

/** An error with a tag of ours; `errno` is positive, or 0. */
export const transportError = <T extends TransportTag>(
  tag: T,
  syscall: string,
  errno: number,
  message: string
): TransportErrorOf<T> =>
  new TransportFailure<T>({ _tag: tag, syscall, errno, code: errno === 0 ? tag : getSystemErrorName(-errno), message })

/** The error of a system call that returned `result`, a negative errno. `hint` says what to do about it. */
export const errnoError = (syscall: string, result: number, hint?: string): SystemCallError => {
  const errno = -result
  const tag = errnoTag(errno)
  const error = transportError(
    tag,
    syscall,
    errno,
    hint === undefined ? `${syscall}: ${tag}` : `${syscall}: ${tag}: ${hint}`
  )
  // One member of the union, whichever it is; TypeScript cannot follow a tag it does not know.
  return error as SystemCallError
}
