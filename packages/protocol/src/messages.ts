/**
 * The messages of the FUSE protocol as plain objects: requests, replies, notifications.
 *
 * Fields are those of `include/uapi/linux/fuse.h` in camelCase. A request is one flat object: its
 * header's fields, then its own. `nodeid` is the node acted on (for operations on a name, the
 * directory that holds the name). Sizes and offsets are in bytes.
 */
import type { OperationName, ReplyKindOf } from "./operations.ts"
import type { Data, DataPart, FileRange, Name, S64, U64 } from "./primitives.ts"
import type { ReplyTypes } from "./replyTypes.ts"

export type * from "./generated/messages.ts"
export type * from "./primitives.ts"
export type * from "./replyTypes.ts"

/** What a request of each operation is answered with, when it succeeds. */
export type ReplyOf = {
  readonly [Op in OperationName as ReplyKindOf<Op> extends "none" ? never : Op]: ReplyTypes[Exclude<
    ReplyKindOf<Op>,
    "none"
  >]
}

/** What a backend may answer: the reply, or for READ where in files it lies, in pieces of both kinds. */
export type AnswerOf<Op extends keyof ReplyOf> = Op extends "read"
  ? Data | FileRange | ReadonlyArray<DataPart>
  : ReplyOf[Op]

// ---------------------------------------------------------------- notifications

/** What a server may tell the kernel unasked (`enum fuse_notify_code`). */
export type Notification =
  | { readonly notify: "poll"; readonly kh: U64 }
  | { readonly notify: "invalInode"; readonly ino: U64; readonly off: S64; readonly len: S64 }
  | { readonly notify: "invalEntry"; readonly parent: U64; readonly name: Name; readonly flags: number }
  | { readonly notify: "store"; readonly nodeid: U64; readonly offset: U64; readonly data: Data }
  | {
      readonly notify: "retrieve"
      readonly notifyUnique: U64
      readonly nodeid: U64
      readonly offset: U64
      readonly size: number
    }
  | { readonly notify: "delete"; readonly parent: U64; readonly child: U64; readonly name: Name }
  | { readonly notify: "resend" }
  | { readonly notify: "incEpoch" }
  | { readonly notify: "prune"; readonly nodeids: ReadonlyArray<U64> }
