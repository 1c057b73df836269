/** Errors as Node's own look, for programs that do not use Effect. */
import { errnoNumbers } from "@bickford/protocol"
import type { MountEnd, MountError } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/** Why a mount did not come about, or failed later. It has the fields of Node's own errors. */
export class MountFailure extends Data.TaggedError("MountFailure")<{
  /** What failed, in a sentence. */
  readonly message: string
  /** An errno's name where there is one, as `EACCES`. */
  readonly code: string
  /** Negative, as Node's are; undefined where there is none. */
  readonly errno: number | undefined
  /** The system call or program that failed. */
  readonly syscall: string | undefined
  readonly cause?: unknown
}> {}

const withoutErrno = { errno: undefined, syscall: undefined }

const { ETIMEDOUT } = errnoNumbers

/** Why mounting failed. */
export const failureOf = (error: MountError): MountFailure => {
  const { message } = error
  switch (error._tag) {
    case "OptionError":
      return new MountFailure({ ...withoutErrno, message, code: "ERR_INVALID_ARG_VALUE" })
    case "MountTimeoutError":
      return new MountFailure({ message, code: "ETIMEDOUT", errno: -ETIMEDOUT, syscall: undefined })
    case "SessionEndedError":
      return new MountFailure({ ...withoutErrno, message, code: "ERR_MOUNT_ENDED", cause: causeOf(error.end) })
    case "SupervisorError":
      return new MountFailure({ ...withoutErrno, message, code: "ERR_MOUNT_FAILED", cause: error })
    default: {
      const { code, errno, syscall } = error
      return new MountFailure({ message, code, errno: errno === 0 ? undefined : -errno, syscall })
    }
  }
}

/** What a failed mount failed with. */
export const causeOf = (end: MountEnd["session"]): unknown =>
  end.reason === "failed" ? Cause.squash(end.cause) : undefined
