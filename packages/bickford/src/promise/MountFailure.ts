/** Errors as Node's own look, for programs that do not use Effect. */
import type { MountEnd, MountError } from "@bickford/session"
import * as Cause from "effect/Cause"

/** `code` is an errno's name where there is one, as `EACCES`; `errno` is negative, as Node's are. */
export class MountFailure extends Error {
  override readonly name = "MountFailure"
  readonly code: string
  readonly errno: number | undefined
  readonly syscall: string | undefined

  constructor(message: string, code: string, errno?: number, syscall?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}

const ETIMEDOUT = 110

/** Why mounting failed. */
export const failureOf = (error: MountError): MountFailure => {
  switch (error._tag) {
    case "OptionError":
      return new MountFailure(error.message, "ERR_INVALID_ARG_VALUE")
    case "MountTimeoutError":
      return new MountFailure(error.message, "ETIMEDOUT", -ETIMEDOUT)
    case "SessionEndedError":
      return new MountFailure(error.message, "ERR_MOUNT_ENDED", undefined, undefined, causeOf(error.end))
    case "SupervisorError":
      return new MountFailure(error.message, "ERR_MOUNT_FAILED", undefined, undefined, error)
    default:
      return new MountFailure(error.message, error.code, error.errno === 0 ? undefined : -error.errno, error.syscall)
  }
}

/** What a failed mount failed with. */
export const causeOf = (end: MountEnd["session"]): unknown =>
  end.reason === "failed" ? Cause.squash(end.cause) : undefined
