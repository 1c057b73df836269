/** What messages are made of: numbers, names, times, bytes, and the header that every request has. */

/** An exact unsigned 64-bit number: a `number` when it is a safe integer, else a `bigint`. */
export type U64 = number | bigint
/** An exact signed 64-bit number, likewise. */
export type S64 = number | bigint
/** A file name: a string iff its bytes are valid UTF-8, else the bytes. Never with a NUL or `/`. */
export type Name = string | Uint8Array
/** A time: seconds since 1970 (negative before) and 0 to 999,999,999 nanoseconds. */
export interface Timespec {
  readonly sec: S64
  readonly nsec: number
}
/**
 * A reply's body: one view, or several that are sent gathered. A list that is `Disposable` is disposed of once
 * the reply is out: its memory can be used again, or be given back.
 */
export type Data = Uint8Array | ReadonlyArray<Uint8Array>

/** A reply's body that lies in an open file: read by the transport, straight into its memory. */
export interface FileRange {
  /** The number of a descriptor that stays open until the reply has been written. */
  readonly fd: number
  /**
   * Where in the file. Absent: from the descriptor's current position on, which moves (libfuse's FUSE_BUF_FD_SEEK left
   * out); a pipe or socket gives what it holds at the moment, EAGAIN when that is nothing.
   */
  readonly offset?: U64
  /** Bytes; the reply ends where the file ends before. */
  readonly length: number
}
/** A piece of a reply's body: bytes in memory, or bytes of an open file. */
export type DataPart = Uint8Array | FileRange

/** One security context of a request's header extensions (`struct fuse_secctx`). */
export interface SecurityContext {
  readonly name: Name
  readonly value: Uint8Array
}
/** Header extensions (`total_extlen`), present on MKNOD, MKDIR, SYMLINK, CREATE and TMPFILE when negotiated. */
export interface Extensions {
  readonly securityContexts?: ReadonlyArray<SecurityContext>
  /** `struct fuse_supp_groups`. */
  readonly supplementaryGroups?: ReadonlyArray<number>
}

/** `struct fuse_in_header`, without `len` and `opcode`. */
export interface RequestHeader {
  readonly unique: U64
  readonly nodeid: U64
  readonly uid: number
  readonly gid: number
  readonly pid: number
}

/** A malformed frame: which field, at which offset of the frame, of a frame of how many bytes. */
export interface DecodeError {
  readonly _tag: "DecodeError"
  readonly message: string
  readonly field: string
  /** Bytes from the start of the frame. */
  readonly offset: number
  /** The frame's length in bytes. */
  readonly length: number
  /** The opcode, when the header could be read. */
  readonly opcode: number | undefined
  /** The request's `unique`, when the header could be read. */
  readonly unique: U64 | undefined
}
