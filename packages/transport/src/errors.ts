/** What the transport fails with: the system call, the errno, and a sentence a person can act on. */
import { getSystemErrorName } from "node:util"

/** Failures that no errno stands for. */
export type TransportReason =
  | "fusermount_failed"
  | "fusermount_no_fd"
  | "select_already_closed"
  | "select_failed"
  | "select_not_supported"
  | "stale_mountpoint"

export interface TransportError {
  /** The errno's name (`EACCES`), or one of the reasons. */
  readonly _tag: TransportReason | (string & {})
  readonly message: string
  readonly syscall: string
  /** The positive error number; 0 when there is none. */
  readonly errno: number
}

/** The name of a positive error number. */
const errnoNameOf = (errno: number): string => {
  try {
    return getSystemErrorName(-errno)
  } catch {
    return "EIO"
  }
}

/** For a system call that returned a negative errno. */
export const systemError = (syscall: string, negative: number, hint?: string): TransportError => {
  const name = errnoNameOf(-negative)
  return { _tag: name, message: `${syscall}: ${name}${hint === undefined ? "" : `: ${hint}`}`, syscall, errno: -negative }
}

export const transportError = (reason: TransportReason, syscall: string, message: string, errno = 0): TransportError => ({
  _tag: reason,
  message,
  syscall,
  errno
})
